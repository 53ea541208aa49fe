using System.Text.Json.Serialization;
using PaymentPlatform.Query.Audit;
using PaymentPlatform.Query.FailedItems;
using PaymentPlatform.Query.Lifecycle;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Query.Replay;

namespace PaymentPlatform.Query;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(MicrosecondConverter)])]
[JsonSerializable(typeof(EventCursor))]
[JsonSerializable(typeof(MetricsCursor))]
[JsonSerializable(typeof(DynamicMetricsCursor))]
[JsonSerializable(typeof(Page<PaymentMetricsItem>))]
[JsonSerializable(typeof(Page<HistogramItem>))]
[JsonSerializable(typeof(Page<DynamicMetricItem>))]
[JsonSerializable(typeof(Page<FailedItemSummary>))]
[JsonSerializable(typeof(FailedItem))]
[JsonSerializable(typeof(FailedItemsAnswer))]
[JsonSerializable(typeof(Page<ArchiveFileItem>))]
[JsonSerializable(typeof(Page<PipelineItem>))]
[JsonSerializable(typeof(Page<ClusterItem>))]
[JsonSerializable(typeof(Page<RuleVersionItem>))]
[JsonSerializable(typeof(RulesTakenItem))]
[JsonSerializable(typeof(RulesAreValid))]
[JsonSerializable(typeof(Page<RebuildItem>))]
[JsonSerializable(typeof(Page<HoldItem>))]
[JsonSerializable(typeof(PlacedHold))]
[JsonSerializable(typeof(Page<RehydrationItem>))]
[JsonSerializable(typeof(Page<ReplayItem>))]
[JsonSerializable(typeof(ReplayPosition))]
[JsonSerializable(typeof(IReadOnlyList<ArchiveRangeItem>))]
[JsonSerializable(typeof(ReconciliationReport))]
[JsonSerializable(typeof(AuditFile))]
[JsonSerializable(typeof(IReadOnlyList<AuditFile>))]
[JsonSerializable(typeof(IReadOnlyList<AuditFailedItem>))]
[JsonSerializable(typeof(IReadOnlyList<AuditReplay>))]
[JsonSerializable(typeof(IReadOnlyList<DynamicMetricItem>))]
[JsonSerializable(typeof(IReadOnlyList<HoldItem>))]
[JsonSerializable(typeof(Dictionary<string, long>))]
internal sealed partial class QueryJsonContext : JsonSerializerContext;
