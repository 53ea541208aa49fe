using PaymentPlatform.AppHost.Tests;

[assembly: AssemblyFixture(typeof(AppHostFixture))]
