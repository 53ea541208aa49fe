using PaymentPlatform.Testing;

[assembly: AssemblyFixture(typeof(PlatformFixture))]
