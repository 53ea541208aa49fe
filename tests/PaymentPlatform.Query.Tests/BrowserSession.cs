using Microsoft.Playwright;

namespace PaymentPlatform.Query.Tests;

/// <summary>A page in Chromium; the test is skipped where there is none.</summary>
public sealed class BrowserSession : IAsyncDisposable
{
    private static readonly string[] UsualPaths =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable", "/snap/bin/chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "C:/Program Files/Google/Chrome/Application/chrome.exe", "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _complaints = [];

    private BrowserSession(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        page.Dialog += (_, dialog) =>
        {
            _complaints.Add("dialog: " + dialog.Message);
            _ = dialog.DismissAsync();
        };
    }

    public IPage Page { get; }

    public static async Task<BrowserSession> OpenAsync(QueryHost host, string[] arguments, BrowserNewPageOptions? options = null)
    {
        var path = Environment.GetEnvironmentVariable("CHROMIUM") ?? UsualPaths.FirstOrDefault(File.Exists);
        if (path is null || !File.Exists(path))
            Assert.Skip("No Chromium was found: install one, or set the environment variable CHROMIUM to its path.");
        Assertions.SetDefaultExpectTimeout(60_000);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = arguments, Timeout = 120_000 });
        var page = await browser.NewPageAsync(options ?? new() { ViewportSize = new() { Width = 1280, Height = 900 } });
        var session = new BrowserSession(playwright, browser, page);
        await page.GotoAsync(host.Address.ToString(), new() { Timeout = 120_000 });
        return session;
    }

    /// <summary>Kept where PAGE_SCREENSHOTS names a folder.</summary>
    public async Task ScreenshotAsync(string name, bool fullPage = true)
    {
        if (Environment.GetEnvironmentVariable("PAGE_SCREENSHOTS") is { } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = fullPage });
    }

    /// <summary>As it comes out of a printer; kept as the screenshots are.</summary>
    public async Task PrintAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("PAGE_SCREENSHOTS") is { } folder)
            await Page.PdfAsync(new() { Path = Path.Combine(folder, name + ".pdf"), PreferCSSPageSize = true });
    }

    /// <summary>No error in the console, no script of the data's, nothing that the content policy had to stop.</summary>
    public void AssertQuiet() => Assert.Empty(_complaints);

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
