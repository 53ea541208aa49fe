using PaymentPlatform.Standalone;

return await PlatformCommandLine.InvokeAsync(args);
