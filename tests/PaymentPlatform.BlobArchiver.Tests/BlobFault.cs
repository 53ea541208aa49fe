namespace PaymentPlatform.BlobArchiver.Tests;

public enum BlobFault
{
    Error500,
    Error503,
    CutBefore,
    CutAfterSuccess,
    Error500AfterSuccess,
}
