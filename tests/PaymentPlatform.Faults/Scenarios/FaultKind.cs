namespace PaymentPlatform.Faults.Scenarios;

/// <summary>What the harness does to the platform, and what it feeds it on purpose. The names are the report's.</summary>
public enum FaultKind
{
    // Processes.
    Kill,
    KillAtStep,
    Pause,
    PauseAtStep,
    StaleOwner,
    BlockedSuccessor,
    InstanceAdded,
    InstanceStopped,
    ClockJump,

    // PostgreSQL.
    CutBefore,
    CutAfter,
    CutAll,
    DatabaseSlow,
    DatabaseFull,
    DatabaseRestart,

    // Blob store.
    BlobCutBefore,
    BlobTimeoutAfterSuccess,
    BlobErrorAfterSuccess,
    Blob409,
    Blob412,
    Blob429,
    Blob500,
    Blob503,
    BlobSlow,
    BlobTornUpload,
    BlobCutDownload,
    BlobLost,

    // Delivery.
    Redelivered,
    DeliveredOutOfOrder,

    // Input.
    Poison,
    Oversized,
    CardNumber,
    LateEvent,
    HotKey,
    KeyRepeated,
    KeyRaced,

    // Orders that are given while all this happens.
    Resubmitted,
    Closed,
    ChangedInBulk,
    Replayed,
    ReplayOvertaken,
    Rebuilt,
}
