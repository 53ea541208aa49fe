using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The paths that rules ask for, as a tree of UTF-8 names.</summary>
internal sealed class PathTrie
{
    private readonly List<(byte[] Name, PathTrie Node)> _children = [];

    /// <summary>-1: no path ends here.</summary>
    public int Slot { get; private set; } = -1;

    public bool IsEmpty => _children.Count == 0;

    public int ChildCount => _children.Count;

    public void Add(ReadOnlySpan<string> parts, int slot)
    {
        if (parts.IsEmpty)
        {
            Slot = slot;
            return;
        }

        var name = Encoding.UTF8.GetBytes(parts[0]);
        if (Find(name) is not { } child)
            _children.Add((name, child = new()));
        child.Add(parts[1..], slot);
    }

    public PathTrie? Find(ReadOnlySpan<byte> name)
    {
        foreach (var (candidate, node) in _children)
        {
            if (candidate.Length == name.Length && name.SequenceEqual(candidate))
                return node;
        }

        return null;
    }
}
