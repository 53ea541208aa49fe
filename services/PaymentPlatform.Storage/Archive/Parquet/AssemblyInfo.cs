using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("PaymentPlatform.Storage.Tests")]
