using System.Text;

namespace PaymentPlatform.Streaming;

/// <summary>The claims of one publish call, and what became of each. A claim that comes again within the call repeats the first.</summary>
internal sealed class ClaimSet
{
    /// <summary>An event's identity over a broker is the claim's key and a moment.</summary>
    private const int MaxKeyLength = MessageIdentity.MaxKeyLength - 20;
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private readonly int _messages;
    private readonly ClaimOutcome[] _outcomes;
    private readonly int[] _sameAs;

    /// <exception cref="ArgumentException">A claim can't be stored, or lies outside the messages.</exception>
    public ClaimSet(IReadOnlyList<IdempotencyClaim> claims, int messages)
    {
        Claims = claims;
        _messages = messages;
        _outcomes = claims.Count == 0 ? [] : new ClaimOutcome[claims.Count];
        _sameAs = claims.Count == 0 ? [] : new int[claims.Count];
        var first = claims.Count > 1 ? new Dictionary<(string, int), int>(claims.Count) : null;
        for (var i = 0; i < claims.Count; i++)
        {
            Validate(claims[i], messages);
            _outcomes[i] = new(false, claims[i].BodyHash, claims[i].Outcome);
            _sameAs[i] = i;
            if (first is not null && !first.TryAdd((claims[i].Key, claims[i].Chunk), i))
            {
                _sameAs[i] = first[(claims[i].Key, claims[i].Chunk)];
                MarkRepeat(i, _outcomes[_sameAs[i]]);
            }
        }
    }

    public IReadOnlyList<IdempotencyClaim> Claims { get; }

    /// <summary>One a claim, in order.</summary>
    public IReadOnlyList<ClaimOutcome> Outcomes => _outcomes;

    public bool HasRepeats { get; private set; }

    /// <summary>False for a claim that repeats an earlier one: it and its messages stay out.</summary>
    public bool IsFresh(int claim) => !_outcomes[claim].IsRepeat;

    public IEnumerable<IdempotencyClaim> Fresh() => Claims.Where((_, i) => IsFresh(i));

    /// <summary>The claim was taken before.</summary>
    public void MarkRepeat(int claim, ReadOnlyMemory<byte> bodyHash, ReadOnlyMemory<byte> outcome)
    {
        var earlier = new ClaimOutcome(true, bodyHash, outcome);
        for (var i = claim; i < _sameAs.Length; i++)
        {
            if (_sameAs[i] == claim)
                MarkRepeat(i, earlier);
        }
    }

    /// <summary>The messages to leave out, as a flag a message; null when all go in.</summary>
    public bool[]? LeftOut()
    {
        if (!HasRepeats)
            return null;
        var leftOut = new bool[_messages];
        for (var i = 0; i < Claims.Count; i++)
        {
            if (_outcomes[i].IsRepeat)
                leftOut.AsSpan(Claims[i].FirstMessage, Claims[i].MessageCount).Fill(true);
        }

        return leftOut;
    }

    private void MarkRepeat(int claim, ClaimOutcome earlier)
    {
        _outcomes[claim] = new(true, earlier.BodyHash, earlier.Outcome);
        HasRepeats = true;
    }

    private static void Validate(IdempotencyClaim claim, int messages)
    {
        if (claim.Key.Length is 0 or > MaxKeyLength)
            throw new ArgumentException($"A claim's key has {claim.Key.Length} characters; 1 to {MaxKeyLength} are allowed.", nameof(claim));
        if (claim.FirstMessage < 0 || claim.MessageCount < 0 || claim.FirstMessage > messages - claim.MessageCount)
            throw new ArgumentException($"A claim covers the messages {claim.FirstMessage} to {claim.FirstMessage + claim.MessageCount}, but the call has {messages}.", nameof(claim));
        try
        {
            if (claim.Key.Contains('\0'))
                throw new ArgumentException("A claim's key holds a NUL character, which can't be stored.", nameof(claim));
            s_strict.GetByteCount(claim.Key);
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException("A claim's key is not well-formed Unicode.", nameof(claim));
        }
    }
}
