using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Sql;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SqlCommand))]
[JsonSerializable(typeof(SqlChecked))]
[JsonSerializable(typeof(SqlEnded))]
[JsonSerializable(typeof(SqlFailed))]
internal sealed partial class SqlJsonContext : JsonSerializerContext;
