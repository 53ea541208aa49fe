using Microsoft.Playwright;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>The page in a real browser, when there is one.</summary>
public sealed class ConsolePageTests(PlatformFixture platform)
{
    private static readonly string[] Arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    [Fact]
    public async Task Page_NothingThere_TellsHowToPost()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        await Assertions.Expect(browser.Page.Locator("#welcome")).ToBeVisibleAsync();
        var curl = await browser.Page.Locator("#curl").InnerTextAsync();
        Assert.Contains($"curl {host.Address.GetLeftPart(UriPartial.Authority)}/v1/transactions", curl);
        Assert.Contains("transaction_timestamp", curl);
        await browser.ScreenshotAsync("empty");
        browser.AssertQuiet();
    }

    [Fact]
    public async Task Page_DataWithMarkup_ShowsItAsText()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        var page = browser.Page;
        await Assertions.Expect(page.Locator("#letters tr")).ToHaveCountAsync(8);
        await Assertions.Expect(page.Locator("#letters tr").First).ToContainTextAsync("<script>");
        await Assertions.Expect(page.Locator("#partitions tr")).ToHaveCountAsync(4);
        await Assertions.Expect(page.Locator("#lag")).ToHaveTextAsync("150");
        await Assertions.Expect(page.Locator("#windows tr").First).ToContainTextAsync("EUR");
        foreach (var (currency, processed) in ((string, string)[])[("EUR", "1,234,567.89"), ("JPY", "1,234,568"), ("KWD", "1,234,567.890")])
            await Assertions.Expect(page.Locator("#windows tr").Filter(new() { HasText = currency }).First.Locator("td").Last).ToHaveTextAsync(processed);
        await Assertions.Expect(page.Locator("#success")).ToHaveTextAsync("80.0 %");
        await Assertions.Expect(page.Locator("#files tr").First).ToContainTextAsync("raw_events/");
        await Assertions.Expect(page.Locator("#welcome")).ToBeHiddenAsync();
        await browser.ScreenshotAsync("data");

        await Assertions.Expect(page.Locator("#letters a").First).ToHaveAttributeAsync("href", new System.Text.RegularExpressions.Regex("^v1/transactions/[^/]+/audit$"));

        await page.Locator("#letters button").Nth(1).ClickAsync();
        await Assertions.Expect(page.Locator("#letter-payload")).ToContainTextAsync("<é>");
        await Assertions.Expect(page.Locator("#letter-facts")).ToContainTextAsync("<img src=x");
        await browser.ScreenshotAsync("letter");
        await page.Locator("#letter-close").ClickAsync();
        Assert.Equal("PaymentPlatform", await page.TitleAsync());
        Assert.Equal(0, await page.Locator("img, td script").CountAsync());
        browser.AssertQuiet();
    }

    [Fact]
    public async Task Page_EventsArrive_ShowsTheRateByItself()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ListApiTests.FillPipelineAsync(host);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        await Assertions.Expect(browser.Page.Locator("#rate")).ToHaveTextAsync("0");
        await host.Archive.ExecuteAsync("UPDATE stream_partitions SET next_offset = next_offset + 100000");
        await Assertions.Expect(browser.Page.Locator("#rate")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[1-9]"));
        await Assertions.Expect(browser.Page.Locator("#lag")).ToHaveTextAsync("200,150");
        browser.AssertQuiet();
    }

    [Fact]
    public async Task Page_KeyNeeded_TheBrowserAsksOnceAndThePageLives()
    {
        const string Key = "0123456789abcdef0123456789abcdef";
        await using var host = await QueryHost.StartAsync(platform, new() { ["Access:OperateKey"] = Key });
        await FillAsync(host);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments, new() { HttpCredentials = new() { Username = "anybody", Password = Key } });
        await Assertions.Expect(browser.Page.Locator("#letters tr")).ToHaveCountAsync(8);
        await Assertions.Expect(browser.Page.Locator("#partitions tr")).ToHaveCountAsync(4);
        await Assertions.Expect(browser.Page.Locator("#files tr").First).ToContainTextAsync("raw_events/");
        await Assertions.Expect(browser.Page.Locator("#state")).ToContainTextAsync("live");
        browser.AssertQuiet();
    }

    [Fact]
    public async Task Page_ServiceStops_SaysThatItIsStale()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        await Assertions.Expect(browser.Page.Locator("#state")).ToContainTextAsync("live");
        await Assertions.Expect(browser.Page.Locator("#banner")).ToBeHiddenAsync();

        await host.Archive.ExecuteAsync("ALTER TABLE failed_items RENAME TO failed_items_away");
        await Assertions.Expect(browser.Page.Locator("#banner")).ToContainTextAsync("No answer for dead letters");
        await host.Archive.ExecuteAsync("ALTER TABLE failed_items_away RENAME TO failed_items");
        await Assertions.Expect(browser.Page.Locator("#banner")).ToBeHiddenAsync();

        await host.App.StopAsync();
        await Assertions.Expect(browser.Page.Locator("#banner")).ToContainTextAsync("The query service does not answer");
        await Assertions.Expect(browser.Page.Locator("#letters tr")).ToHaveCountAsync(8);
        await browser.ScreenshotAsync("stale");
    }

    [Fact]
    public async Task Page_PhoneInTheDark_FitsItsWidth()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments, new() { ViewportSize = new() { Width = 390, Height = 844 }, ColorScheme = ColorScheme.Dark });
        await Assertions.Expect(browser.Page.Locator("#letters tr")).ToHaveCountAsync(8);
        Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), "The page scrolls sideways.");
        await browser.ScreenshotAsync("phone");
        browser.AssertQuiet();
    }

    [Fact]
    public async Task Reference_WithoutTheInternet_ShowsEveryOperation()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        var foreign = new List<string>();
        browser.Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(host.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                foreign.Add(request.Url);
        };
        await browser.Page.GetByText("API reference").ClickAsync();
        await Assertions.Expect(browser.Page.GetByText("One read-only SELECT over the archive").First).ToBeVisibleAsync();
        await Assertions.Expect(browser.Page.GetByText("Every event of a payment").First).ToBeVisibleAsync();
        await browser.Page.GetByText("One read-only SELECT over the archive").First.ClickAsync();
        await Assertions.Expect(browser.Page.GetByText("DECIMAL(38,4)").First).ToBeVisibleAsync();
        await Assertions.Expect(browser.Page.GetByText("curl " + host.Address.GetLeftPart(UriPartial.Authority)).First).ToBeVisibleAsync();
        await browser.ScreenshotAsync("reference", fullPage: false);
        Assert.Empty(foreign);
        browser.AssertQuiet();
    }

    private static async Task FillAsync(QueryHost host)
    {
        await ListApiTests.FillPipelineAsync(host);
        await ListApiTests.FillFailedItemsAsync(host, 12);
        for (var i = 0; i < 5; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i, "1"), EventsApiTests.Event(100 + i, "1") with { IsValid = false });
        await host.Archive.ExecuteAsync(
            """
            INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
            SELECT w, w + interval '5 minutes', 'credit_card', c, s, CASE s WHEN 'completed' THEN 800 WHEN 'declined' THEN 200 ELSE 40 END, 1234567.8901, 1, 99
            FROM generate_series(date_bin('5 minutes', now(), TIMESTAMPTZ '2000-01-01 00:00:00+00') - interval '20 minutes', now(), interval '5 minutes') w,
              unnest(ARRAY['EUR', 'USD', 'JPY', 'KWD']) c, unnest(ARRAY['completed', 'declined', 'pending']) s
            """);
    }
}
