using System.Globalization;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Native;

namespace PaymentPlatform.Query.Sql.Worker;

/// <summary>
/// Writes the values of a vector as JSON, exactly: numbers with all their digits, times as RFC 3339 in UTC, bytes as base64, lists as arrays, structs as objects, maps as arrays of <c>{"key", "value"}</c>;
/// what JSON has no number for (NaN, infinities) as text.
/// </summary>
internal abstract unsafe class ColumnWriter(string typeName)
{
    /// <summary>A value beyond it is in no answer.</summary>
    private const int MaxValueBytes = 64 << 20;

    private void* _data;
    private ulong* _validity;

    /// <summary>As SQL writes it.</summary>
    public string TypeName => typeName;

    /// <exception cref="SqlFailure">There is no JSON for the type.</exception>
    public static ColumnWriter For(string column, DuckDBLogicalType type)
    {
        var id = NativeMethods.LogicalType.DuckDBGetTypeId(type);
        return id switch
        {
            DuckDBType.Boolean => new Scalar<byte>("BOOLEAN", (json, value) => json.WriteBooleanValue(value != 0)),
            DuckDBType.TinyInt => new Scalar<sbyte>("TINYINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.SmallInt => new Scalar<short>("SMALLINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.Integer => new Scalar<int>("INTEGER", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.BigInt => new Scalar<long>("BIGINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.UnsignedTinyInt => new Scalar<byte>("UTINYINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.UnsignedSmallInt => new Scalar<ushort>("USMALLINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.UnsignedInteger => new Scalar<uint>("UINTEGER", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.UnsignedBigInt => new Scalar<ulong>("UBIGINT", (json, value) => json.WriteNumberValue(value)),
            DuckDBType.HugeInt => new Scalar<Int128>("HUGEINT", (json, value) => WriteNumber(json, value.ToString(CultureInfo.InvariantCulture))),
            DuckDBType.UnsignedHugeInt => new Scalar<UInt128>("UHUGEINT", (json, value) => WriteNumber(json, value.ToString(CultureInfo.InvariantCulture))),
            DuckDBType.Float => new Scalar<float>("FLOAT", WriteFloat),
            DuckDBType.Double => new Scalar<double>("DOUBLE", WriteDouble),
            DuckDBType.Decimal => Decimal(type),
            DuckDBType.Date => new Scalar<int>("DATE", (json, value) => WriteDate(json, value)),
            DuckDBType.Time => new Scalar<long>("TIME", (json, value) => WriteTime(json, value)),
            DuckDBType.Timestamp => new Scalar<long>("TIMESTAMP", (json, value) => WriteTimestamp(json, value, 1)),
            DuckDBType.TimestampTz => new Scalar<long>("TIMESTAMP WITH TIME ZONE", (json, value) => WriteTimestamp(json, value, 1)),
            DuckDBType.TimestampS => new Scalar<long>("TIMESTAMP_S", (json, value) => WriteTimestamp(json, value, 1_000_000)),
            DuckDBType.TimestampMs => new Scalar<long>("TIMESTAMP_MS", (json, value) => WriteTimestamp(json, value, 1000)),
            DuckDBType.Interval => new Scalar<Interval>("INTERVAL", (json, value) => json.WriteStringValue(value.ToString())),
            DuckDBType.Uuid => new Scalar<UInt128>("UUID", WriteUuid),
            DuckDBType.Varchar => new Bytes("VARCHAR", (json, value) => json.WriteStringValue(value)),
            DuckDBType.Blob => new Bytes("BLOB", (json, value) => json.WriteBase64StringValue(value)),
            DuckDBType.Enum => Enumeration(type),
            DuckDBType.List => new List(Child(column, NativeMethods.LogicalType.DuckDBListTypeChildType(type))),
            DuckDBType.Map => Map(column, type),
            DuckDBType.Array => new Array(Child(column, NativeMethods.LogicalType.DuckDBArrayTypeChildType(type)), (int)NativeMethods.LogicalType.DuckDBArrayVectorGetSize(type)),
            DuckDBType.Struct => Structure(column, type),
            DuckDBType.SqlNull => new Scalar<byte>("NULL", (json, _) => json.WriteNullValue()),
            _ => throw new SqlFailure(SqlFailureKind.Invalid, $"The column {column} has a type ({id}) that JSON can't show. Cast it to VARCHAR."),
        };
    }

    /// <summary>Takes the vector of the next chunk.</summary>
    public virtual void Bind(IntPtr vector)
    {
        _data = NativeMethods.Vectors.DuckDBVectorGetData(vector);
        _validity = NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
    }

    public void Write(Utf8JsonWriter json, long row)
    {
        if (_validity is not null && (_validity[row >> 6] & (1UL << (int)(row & 63))) == 0)
            json.WriteNullValue();
        else
            WriteValue(json, row);
    }

    protected abstract void WriteValue(Utf8JsonWriter json, long row);

    protected ref readonly T At<T>(long row)
        where T : unmanaged => ref ((T*)_data)[row];

    private static ColumnWriter Child(string column, DuckDBLogicalType type)
    {
        using (type)
            return For(column, type);
    }

    private static ColumnWriter Decimal(DuckDBLogicalType type)
    {
        var scale = NativeMethods.LogicalType.DuckDBDecimalScale(type);
        var name = $"DECIMAL({NativeMethods.LogicalType.DuckDBDecimalWidth(type)},{scale})";
        return NativeMethods.LogicalType.DuckDBDecimalInternalType(type) switch
        {
            DuckDBType.SmallInt => new Scalar<short>(name, (json, value) => WriteDecimal(json, value, scale)),
            DuckDBType.Integer => new Scalar<int>(name, (json, value) => WriteDecimal(json, value, scale)),
            DuckDBType.BigInt => new Scalar<long>(name, (json, value) => WriteDecimal(json, value, scale)),
            _ => new Scalar<Int128>(name, (json, value) => WriteDecimal(json, value, scale)),
        };
    }

    private static ColumnWriter Enumeration(DuckDBLogicalType type)
    {
        var names = new string[NativeMethods.LogicalType.DuckDBEnumDictionarySize(type)];
        for (var i = 0; i < names.Length; i++)
            names[i] = NativeMethods.LogicalType.DuckDBEnumDictionaryValue(type, i);
        return NativeMethods.LogicalType.DuckDBEnumInternalType(type) switch
        {
            DuckDBType.UnsignedTinyInt => new Scalar<byte>("ENUM", (json, value) => json.WriteStringValue(names[value])),
            DuckDBType.UnsignedSmallInt => new Scalar<ushort>("ENUM", (json, value) => json.WriteStringValue(names[value])),
            _ => new Scalar<uint>("ENUM", (json, value) => json.WriteStringValue(names[value])),
        };
    }

    private static List Map(string column, DuckDBLogicalType type)
    {
        var key = Child(column, NativeMethods.LogicalType.DuckDBMapTypeKeyType(type));
        var value = Child(column, NativeMethods.LogicalType.DuckDBMapTypeValueType(type));
        return new(new Struct("", [("key", key), ("value", value)]), $"MAP({key.TypeName}, {value.TypeName})");
    }

    private static Struct Structure(string column, DuckDBLogicalType type)
    {
        var members = new (string Name, ColumnWriter Writer)[NativeMethods.LogicalType.DuckDBStructTypeChildCount(type)];
        for (var i = 0; i < members.Length; i++)
            members[i] = (NativeMethods.LogicalType.DuckDBStructTypeChildName(type, i), Child(column, NativeMethods.LogicalType.DuckDBStructTypeChildType(type, i)));
        return new($"STRUCT({string.Join(", ", members.Select(m => $"{m.Name} {m.Writer.TypeName}"))})", members);
    }

    private static void WriteNumber(Utf8JsonWriter json, string digits) => json.WriteRawValue(digits, skipInputValidation: true);

    private static void WriteDecimal(Utf8JsonWriter json, Int128 unscaled, int scale)
    {
        var digits = Int128.Abs(unscaled).ToString(CultureInfo.InvariantCulture);
        if (scale > 0)
        {
            digits = digits.PadLeft(scale + 1, '0');
            digits = ExactNumbers.Trim(string.Concat(digits.AsSpan(0, digits.Length - scale), ".", digits.AsSpan(digits.Length - scale)));
        }

        WriteNumber(json, unscaled < 0 ? "-" + digits : digits);
    }

    private static void WriteFloat(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumberValue(value);
        else
            WriteDouble(json, value);
    }

    private static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }

    private static void WriteDate(Utf8JsonWriter json, int days)
    {
        var day = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber + (long)days;
        if (days is int.MaxValue or -int.MaxValue)
            json.WriteStringValue(days > 0 ? "infinity" : "-infinity");
        else if (day >= DateOnly.MinValue.DayNumber && day <= DateOnly.MaxValue.DayNumber)
            json.WriteStringValue(DateOnly.FromDayNumber((int)day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        else
            throw OutOfYears();
    }

    private static void WriteTime(Utf8JsonWriter json, long micros)
    {
        // DuckDB has 24:00:00 as well.
        var (seconds, fraction) = Math.DivRem(micros, 1_000_000);
        json.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}.{fraction:000000}"));
    }

    private static void WriteTimestamp(Utf8JsonWriter json, long value, long micros)
    {
        if (value is long.MaxValue or -long.MaxValue)
        {
            json.WriteStringValue(value > 0 ? "infinity" : "-infinity");
            return;
        }

        var time = (Int128)value * micros;
        if (time < long.MinValue || time > long.MaxValue || !Timestamps.IsInRange((long)time))
            throw OutOfYears();
        Span<byte> text = stackalloc byte[Timestamps.Length];
        Timestamps.Write((long)time, text);
        json.WriteStringValue(text);
    }

    private static SqlFailure OutOfYears() => new(SqlFailureKind.Invalid, "A time is outside the years 1 to 9999. Cast it to VARCHAR.");

    /// <summary>DuckDB keeps the upper bit inverted, so that it sorts as a signed number.</summary>
    private static void WriteUuid(Utf8JsonWriter json, UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, value ^ (UInt128.One << 127));
        json.WriteStringValue(new Guid(bytes, bigEndian: true));
    }

    private sealed class Scalar<T>(string typeName, Action<Utf8JsonWriter, T> write) : ColumnWriter(typeName)
        where T : unmanaged
    {
        protected override void WriteValue(Utf8JsonWriter json, long row) => write(json, At<T>(row));
    }

    private sealed class List(ColumnWriter item, string? typeName = null) : ColumnWriter(typeName ?? item.TypeName + "[]")
    {
        public override void Bind(IntPtr vector)
        {
            base.Bind(vector);
            item.Bind(NativeMethods.Vectors.DuckDBListVectorGetChild(vector));
        }

        protected override void WriteValue(Utf8JsonWriter json, long row)
        {
            var entry = At<Entry>(row);
            WriteItems(json, item, (long)entry.Offset, (long)entry.Length);
        }

        private readonly record struct Entry(ulong Offset, ulong Length);
    }

    private sealed class Array(ColumnWriter item, int length) : ColumnWriter($"{item.TypeName}[{length}]")
    {
        public override void Bind(IntPtr vector)
        {
            base.Bind(vector);
            item.Bind(NativeMethods.Vectors.DuckDBArrayVectorGetChild(vector));
        }

        protected override void WriteValue(Utf8JsonWriter json, long row) => WriteItems(json, item, row * length, length);
    }

    private static void WriteItems(Utf8JsonWriter json, ColumnWriter item, long offset, long length)
    {
        json.WriteStartArray();
        for (var i = 0L; i < length; i++)
        {
            item.Write(json, offset + i);
            if (json.BytesCommitted + json.BytesPending > MaxValueBytes)
                throw new ValueTooLargeException();
        }

        json.WriteEndArray();
    }

    private sealed class Struct(string typeName, (string Name, ColumnWriter Writer)[] members) : ColumnWriter(typeName)
    {
        public override void Bind(IntPtr vector)
        {
            base.Bind(vector);
            for (var i = 0; i < members.Length; i++)
                members[i].Writer.Bind(NativeMethods.Vectors.DuckDBStructVectorGetChild(vector, i));
        }

        protected override void WriteValue(Utf8JsonWriter json, long row)
        {
            json.WriteStartObject();
            foreach (var (name, writer) in members)
            {
                json.WritePropertyName(name);
                writer.Write(json, row);
            }

            json.WriteEndObject();
        }
    }

    private delegate void WriteBytes(Utf8JsonWriter json, ReadOnlySpan<byte> value);

    /// <summary>Texts or blobs of sixteen bytes each: the length, then up to twelve bytes in place, or four of them and a pointer to all.</summary>
    private sealed class Bytes(string typeName, WriteBytes write) : ColumnWriter(typeName)
    {
        protected override void WriteValue(Utf8JsonWriter json, long row)
        {
            var entry = (byte*)_data + (row * 16);
            var length = *(uint*)entry;
            if (length > MaxValueBytes)
                throw new ValueTooLargeException();
            write(json, new(length <= 12 ? entry + 4 : *(byte**)(entry + 8), (int)length));
        }
    }

    /// <summary>Written as ISO 8601 does.</summary>
    private readonly record struct Interval(int Months, int Days, long Micros)
    {
        public override string ToString()
        {
            if (Months == 0 && Days == 0 && Micros == 0)
                return "PT0S";
            var text = new StringBuilder("P");
            Append(text, Months / 12, 'Y');
            Append(text, Months % 12, 'M');
            Append(text, Days, 'D');
            if (Micros == 0)
                return text.ToString();
            text.Append('T');
            var (seconds, fraction) = Math.DivRem(Micros, 1_000_000);
            Append(text, seconds / 3600, 'H');
            Append(text, seconds / 60 % 60, 'M');
            if (seconds % 60 != 0 || fraction != 0)
                text.Append(ExactNumbers.Format((seconds % 60) + (fraction / 1_000_000m))).Append('S');
            return text.ToString();
        }

        private static void Append(StringBuilder text, long value, char unit)
        {
            if (value != 0)
                text.Append(CultureInfo.InvariantCulture, $"{value}{unit}");
        }
    }
}
