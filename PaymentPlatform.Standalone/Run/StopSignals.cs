using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PaymentPlatform.Standalone.Run;

/// <summary>The first Ctrl+C or SIGTERM asks for an orderly stop; a second Ctrl+C ends the process at once.</summary>
internal sealed partial class StopSignals : IDisposable
{
    // 'timeout' and terminals may deliver one Ctrl+C twice, to the process and to its group.
    private static readonly TimeSpan OneAndTheSame = TimeSpan.FromSeconds(1);

    private const int Interrupt = 2;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private long _firstAt;

    public StopSignals()
    {
        // A script's background job inherits an ignored SIGINT, and .NET respects that; a SIGINT that somebody sends to us on purpose means stop.
        if (!OperatingSystem.IsWindows())
            _ = SetSignal(Interrupt, handler: 0);
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
            _registrations.Add(PosixSignalRegistration.Create(signal, Handle));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (Interlocked.CompareExchange(ref _firstAt, Stopwatch.GetTimestamp(), 0) is var first && first == 0)
        {
            context.Cancel = true;
            // Off the signal's thread: what runs on cancellation must not hold back the second Ctrl+C.
            _ = _stop.CancelAsync();
            return;
        }

        context.Cancel = context.Signal != PosixSignal.SIGINT || Stopwatch.GetElapsedTime(first) < OneAndTheSame;
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignal(int signal, nint handler);
}
