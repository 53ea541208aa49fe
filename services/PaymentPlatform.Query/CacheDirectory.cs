using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query;

/// <summary>A folder of the cache that this process has for itself: <c>files</c> (checked copies), <c>temp</c> (downloads, the engine's spill, exports), <c>lookup</c> (the lookup index).</summary>
public sealed class CacheDirectory : IDisposable
{
    private const string Extension = ".parquet";

    private readonly FileStream _claim;

    private CacheDirectory(string path, FileStream claim)
    {
        (Path, _claim) = (path, claim);
        Files = Directory.CreateDirectory(System.IO.Path.Combine(path, "files")).FullName;
        Lookup = Directory.CreateDirectory(System.IO.Path.Combine(path, "lookup")).FullName;
        var temp = System.IO.Path.Combine(path, "temp");
        if (Directory.Exists(temp))
            Directory.Delete(temp, recursive: true);
        Temp = Directory.CreateDirectory(temp).FullName;
    }

    public string Path { get; }

    public string Files { get; }

    /// <summary>Not within the query engine's reach.</summary>
    public string Lookup { get; }

    /// <summary>Empty at start.</summary>
    public string Temp { get; }

    /// <summary>Takes the first free folder below the root, so that several processes may share the root.</summary>
    /// <exception cref="OptionsValidationException">The folder can't be used; the message names the option.</exception>
    public static CacheDirectory Claim(string root)
    {
        root = System.IO.Path.GetFullPath(root.Length > 0 ? root : System.IO.Path.Combine(System.IO.Path.GetTempPath(), "paymentplatform-query"));
        try
        {
            for (var i = 0; ; i++)
            {
                var path = System.IO.Path.Combine(root, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
                Directory.CreateDirectory(path);
                try
                {
                    return new(path, new FileStream(System.IO.Path.Combine(path, ".claim"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
                }
                catch (IOException) when (i < 255 && File.Exists(System.IO.Path.Combine(path, ".claim")))
                {
                    // Another process has it.
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OptionsValidationException(QueryOptions.Section, typeof(QueryOptions), [$"{QueryOptions.Section}:{nameof(QueryOptions.CacheDirectory)} '{root}' can't be used: {exception.Message}"]);
        }
    }

    public string CopyPath(string sha256) => System.IO.Path.Combine(Files, sha256 + Extension);

    public string TemporaryPath() => System.IO.Path.Combine(Temp, Guid.NewGuid().ToString("N") + Extension);

    /// <summary>Copies of an earlier run, the least recently read first.</summary>
    public IEnumerable<FileInfo> ExistingCopies() => new DirectoryInfo(Files).GetFiles("*" + Extension).Where(f => f.Length > 0).OrderBy(f => f.LastAccessTimeUtc);

    public void Dispose() => _claim.Dispose();
}
