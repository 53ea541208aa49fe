using System.Buffers.Text;
using PaymentPlatform.Events;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>One event as compiled rules see it. What several rules ask for is worked out once an event. Filled again for the next one.</summary>
internal sealed class EventView(CardDataMode cardData)
{
    private const int NotAsked = -2;

    /// <summary>Values from here on are beyond decimal(19,4), and taken for none.</summary>
    private const decimal MostValue = 1_000_000_000_000_000m;

    private readonly List<EventField> _fields = [];
    private readonly JsonSlots _slots = new();
    private int[] _literals = [];
    private UInt128[] _hashes = [];
    private bool[] _hashed = [];
    private ReadOnlyMemory<byte> _payload;
    private bool? _cardNumber;

    public ParsedTransaction Transaction { get; private set; } = null!;

    public long Micros { get; private set; }

    /// <summary>Times 10,000.</summary>
    public Int128 Amount { get; private set; }

    public EventField Use(FieldPath path)
    {
        if (_fields.Find(f => f.Path == path) is { } known)
            return known;
        var field = new EventField(path, _fields.Count, path.IsColumn ? -1 : _slots.Add(path.Parts));
        _fields.Add(field);
        (_literals, _hashes, _hashed) = (new int[_fields.Count], new UInt128[_fields.Count], new bool[_fields.Count]);
        return field;
    }

    /// <exception cref="InvalidOperationException">The event is not valid.</exception>
    public void Begin(ParseResult result)
    {
        Transaction = result.Transaction;
        if (!result.IsValid || Transaction.TransactionTimestampMicros is not { } micros || Transaction.AmountScaled is not { } amount)
            throw new InvalidOperationException("Rules are for valid events: leave out those that have errors.");
        (Micros, Amount, _payload, _cardNumber) = (micros, amount, result.Payload, null);
        Array.Fill(_literals, NotAsked);
        Array.Clear(_hashed);
        _slots.Fill(_payload, Transaction.Metadata.Memory);
    }

    /// <summary>Whether the event carried a full card number: the same from the stream and from the masked bytes of the archive.</summary>
    public bool HasCardNumber() =>
        _cardNumber ??= MaskedCardNumber.IsIn(_payload.Span) || (cardData == CardDataMode.Allow && CardDataProbe.HoldsCardNumber(_payload.Span));

    public bool Exists(EventField field) => field.Slot >= 0
        ? _slots[field.Slot].Kind != SlotKind.Missing
        : field.Path.Type != FieldType.Text || Column(field.Path.Column).HasValue;

    /// <returns>False when there is no text.</returns>
    public bool TryText(EventField field, out ReadOnlySpan<byte> text)
    {
        if (field.Slot < 0)
        {
            var column = Column(field.Path.Column);
            text = column.Span;
            return column.HasValue;
        }

        ref readonly var slot = ref _slots[field.Slot];
        text = slot.Kind == SlotKind.Text ? _slots.TextOf(slot) : default;
        return slot.Kind == SlotKind.Text;
    }

    /// <returns>The number of the field's text among the field's literals, or <see cref="LiteralTable.Other"/>.</returns>
    public int Literal(EventField field)
    {
        ref var literal = ref _literals[field.Index];
        if (literal == NotAsked)
            literal = TryText(field, out var text) ? field.Literals.IdOf(text) : LiteralTable.Other;
        return literal;
    }

    public SlotKind KindOf(EventField field) => _slots[field.Slot].Kind;

    /// <returns>Elements of an array; -1 when it is none.</returns>
    public int CountOf(EventField field) => _slots[field.Slot] is { Kind: SlotKind.Array, Count: var count } ? count : -1;

    /// <summary>A JSON number; a text is none, however it looks.</summary>
    public bool TryNumber(EventField field, out decimal number)
    {
        if (field.Slot < 0)
        {
            number = field.Path.Column == EventColumn.Amount ? (decimal)Amount / 10_000 : 0;
            return field.Path.Column == EventColumn.Amount;
        }

        ref readonly var slot = ref _slots[field.Slot];
        number = 0;
        return slot.Kind == SlotKind.Number && Utf8Parser.TryParse(_slots.TextOf(slot), out number, out var used) && used == slot.Length;
    }

    /// <summary>The field's number times 10,000, rounded half to even; false when there is none within decimal(19,4).</summary>
    public bool TryScaled(EventField field, out Int128 scaled)
    {
        scaled = Amount;
        if (field.Path.Column == EventColumn.Amount)
            return true;
        if (!TryNumber(field, out var number) || Math.Abs(number) >= MostValue)
            return false;
        scaled = (Int128)Math.Round(number * 10_000, MidpointRounding.ToEven);
        return true;
    }

    /// <summary>Stands for the value of a text, number or truth value; 0 for a missing one.</summary>
    public UInt128 HashOf(EventField field)
    {
        ref var hash = ref _hashes[field.Index];
        if (_hashed[field.Index])
            return hash;
        _hashed[field.Index] = true;
        return hash = ComputeHash(field);
    }

    /// <summary>The value as JSON writes it: texts without their quotes.</summary>
    /// <returns>False when there is none, or a container.</returns>
    public bool TryValue(EventField field, out ReadOnlySpan<byte> value, out bool isText)
    {
        isText = TryText(field, out value);
        if (isText)
            return true;
        if (field.Slot < 0)
            return false;
        ref readonly var slot = ref _slots[field.Slot];
        value = slot.Kind switch
        {
            SlotKind.Number => _slots.TextOf(slot),
            SlotKind.True => "true"u8,
            SlotKind.False => "false"u8,
            _ => default,
        };
        return !value.IsEmpty;
    }

    private UInt128 ComputeHash(EventField field) => TryValue(field, out var value, out var isText) ? KeyHash.Of(value, isText ? 0u : 1u) : 0;

    private Utf8Text Column(EventColumn column) => column switch
    {
        EventColumn.TransactionId => Transaction.TransactionId,
        EventColumn.Currency => Transaction.Currency,
        EventColumn.PaymentMethod => Transaction.PaymentMethod,
        EventColumn.PaymentStatus => Transaction.PaymentStatus,
        EventColumn.CustomerId => Transaction.CustomerId,
        EventColumn.CustomerEmail => Transaction.CustomerEmail,
        EventColumn.CustomerCountry => Transaction.CustomerCountry,
        EventColumn.MerchantId => Transaction.MerchantId,
        EventColumn.MerchantName => Transaction.MerchantName,
        EventColumn.MerchantCategory => Transaction.MerchantCategory,
        EventColumn.TransactionType => Transaction.TransactionType,
        EventColumn.Channel => Transaction.Channel,
        EventColumn.DeviceType => Transaction.DeviceType,
        EventColumn.CorrelationId => Transaction.CorrelationId,
        EventColumn.ViolationSeverity => Transaction.ViolationSeverity,
        _ => default,
    };
}
