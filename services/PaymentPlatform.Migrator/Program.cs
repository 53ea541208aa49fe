using PaymentPlatform.Migrator;

return await MigratorRun.RunAsync(args, Console.Out, Console.Error);
