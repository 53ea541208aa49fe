namespace PaymentPlatform.Metrics.Rules;

/// <summary>A file that is read again once it has changed and stands still: an editor may be half-way.</summary>
internal sealed class RuleFile(string path)
{
    private (DateTime Written, long Length)? _done;
    private (DateTime Written, long Length)? _read;
    private (DateTime Written, long Length)? _seen;

    public string Name { get; } = Path.GetFileName(path);

    /// <summary>Answers a change again and again, until <see cref="Confirm"/> says that it was dealt with.</summary>
    /// <returns>The text; null when there is nothing new, or nothing to read.</returns>
    public async Task<string?> ReadIfChangedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
                return null;
            var (seen, now) = (_seen, (file.LastWriteTimeUtc, file.Length));
            _seen = now;
            if (now == _done || (_done is not null && seen != now))
                return null;
            var text = await File.ReadAllTextAsync(path, cancellationToken);
            _read = now;
            return text;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What was read last is taken in, or refused for good.</summary>
    public void Confirm() => _done = _read;
}
