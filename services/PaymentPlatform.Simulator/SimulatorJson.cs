using System.Text.Encodings.Web;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

internal static class SimulatorJson
{
    /// <summary>Writes names as they are spelt, in UTF-8, as senders do.</summary>
    public static JsonSerializerOptions Relaxed { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
