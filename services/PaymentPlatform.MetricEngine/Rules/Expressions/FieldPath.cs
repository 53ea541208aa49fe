using System.Text.RegularExpressions;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A field of the event: a column of the parser, a virtual one, or a path into metadata and unknown fields.</summary>
/// <param name="Name">With the names of the contract: aliases are gone.</param>
/// <param name="Column">None for a path that has to be looked up in the JSON.</param>
internal sealed partial record FieldPath(string Name, EventColumn Column, FieldType Type)
{
    private static readonly Dictionary<string, (EventColumn Column, FieldType Type)> Columns = new(StringComparer.Ordinal)
    {
        ["transaction_id"] = (EventColumn.TransactionId, FieldType.Text),
        ["transaction_timestamp"] = (EventColumn.TransactionTimestamp, FieldType.Time),
        ["amount"] = (EventColumn.Amount, FieldType.Number),
        ["currency"] = (EventColumn.Currency, FieldType.Text),
        ["payment_method"] = (EventColumn.PaymentMethod, FieldType.Text),
        ["payment_status"] = (EventColumn.PaymentStatus, FieldType.Text),
        ["customer_id"] = (EventColumn.CustomerId, FieldType.Text),
        ["customer_email"] = (EventColumn.CustomerEmail, FieldType.Text),
        ["customer_country"] = (EventColumn.CustomerCountry, FieldType.Text),
        ["merchant_id"] = (EventColumn.MerchantId, FieldType.Text),
        ["merchant_name"] = (EventColumn.MerchantName, FieldType.Text),
        ["merchant_category"] = (EventColumn.MerchantCategory, FieldType.Text),
        ["transaction_type"] = (EventColumn.TransactionType, FieldType.Text),
        ["channel"] = (EventColumn.Channel, FieldType.Text),
        ["device_type"] = (EventColumn.DeviceType, FieldType.Text),
        ["correlation_id"] = (EventColumn.CorrelationId, FieldType.Text),
        ["violation_severity"] = (EventColumn.ViolationSeverity, FieldType.Text),
        ["card_data"] = (EventColumn.CardData, FieldType.Boolean),
    };

    public bool IsColumn => Column != EventColumn.None;

    /// <summary>A path's parts.</summary>
    public string[] Parts => Name.Split('.');

    /// <returns>Null when it is no path.</returns>
    public static FieldPath? TryParse(string text)
    {
        var name = text switch { "status" => "payment_status", "timestamp" => "transaction_timestamp", _ => text };
        if (Columns.TryGetValue(name, out var column))
            return new(name, column.Column, column.Type);
        return Shape().IsMatch(name) ? new(name, EventColumn.None, FieldType.Any) : null;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_-]+)*\z")]
    private static partial Regex Shape();
}
