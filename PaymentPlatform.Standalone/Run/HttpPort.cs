using System.Net;
using System.Net.Sockets;

namespace PaymentPlatform.Standalone.Run;

/// <summary>The port, settled before anything is started, so that a taken one is said at once, and, where it is any free one, not given to other programs until it is let go for the server.</summary>
internal sealed class HttpPort : IDisposable
{
    private readonly Socket _bound;

    private HttpPort(int port)
    {
        _bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Not listened on: who calls before the server is there is refused, and not left waiting.
            _bound.Bind(new IPEndPoint(IPAddress.Loopback, port));
            Number = ((IPEndPoint)_bound.LocalEndPoint!).Port;
        }
        catch
        {
            _bound.Dispose();
            throw;
        }
    }

    public int Number { get; }

    /// <exception cref="StartFaultException">The port is taken, or may not be used.</exception>
    public static HttpPort Take(RunOptions options)
    {
        var port = options.FirstPort;
        try
        {
            return new(port);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            if (options is { Port: null, Joins: true })
                return new(0);
            throw new StartFaultException(
                IsPlatform(port)
                    ? $"Port {port} is in use: another PaymentPlatform is running there. Stop it, or choose another port with --port N{(options.Joins ? "" : " and another folder with --data DIR")}."
                    : $"Port {port} is in use by another program (no PaymentPlatform answers at http://127.0.0.1:{port}/alive): choose another with --port N, or --port 0 for any free one.",
                PlatformCommandLine.Fault, exception);
        }
        catch (SocketException exception)
        {
            throw new StartFaultException($"Port {port} can't be used ({exception.Message}): choose another with --port N.", PlatformCommandLine.Fault, exception);
        }
    }

    public void Dispose() => _bound.Dispose();

    private static bool IsPlatform(int port)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            using var answer = client.Send(new(HttpMethod.Get, $"http://127.0.0.1:{port}/alive"), HttpCompletionOption.ResponseHeadersRead);
            return answer.Headers.Server.Any(s => s.Product?.Name == ServiceDefaultsExtensions.TelemetryPrefix);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
