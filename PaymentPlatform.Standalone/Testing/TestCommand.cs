using System.CommandLine;

namespace PaymentPlatform.Standalone.Testing;

/// <summary><c>test [filter…]</c>: every test program that was built, one after the other.</summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var filters = new Argument<string[]>("filter") { Description = "Only tests whose namespace, class or method name contains this.", Arity = ArgumentArity.ZeroOrMore };
        filters.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(t => t.Value.StartsWith('-')) is { } option)
                result.AddError($"Unrecognized option '{option.Value}'.");
        });
        var command = new Command("test", "Run the tests, against a PostgreSQL and an Azurite of their own.") { filters };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(filters) ?? [], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string[] filters, CancellationToken cancellationToken)
    {
        var total = TestCounts.None;
        foreach (var program in TestPrograms())
        {
            Console.WriteLine($"── {Path.GetFileNameWithoutExtension(program)}");
            total += await TestProgram.RunAsync(program, filters, cancellationToken);
        }

        // What came before may be long: whoever sees only the end of it learns what to look for.
        foreach (var failure in total.Failures)
            Console.WriteLine($"Failed: {failure}");
        Console.WriteLine($"{total.Passed} passed, {total.Failed} failed{(total.Skipped > 0 ? $", {total.Skipped} skipped" : "")}");
        if (total.Passed + total.Failed == 0)
            await Console.Error.WriteLineAsync(filters.Length == 0 ? $"No tests were found under {Artifacts.Bin}." : $"No test's name contains {string.Join(" or ", filters)}.");
        return total.Failed > 0 || total.Passed == 0 ? PlatformCommandLine.Fault : 0;
    }

    private static IEnumerable<string> TestPrograms()
    {
        var home = Environment.GetEnvironmentVariable("PLATFORM_HOME");
        return Directory.EnumerateDirectories(Artifacts.Bin, "*.Tests")
            .Select(directory => Path.GetFileName(directory))
            // What is left of a project that is no more is not a test.
            .Where(project => home is not { Length: > 0 } || File.Exists(Path.Combine(home, "tests", project, project + ".csproj")))
            .Select(Artifacts.Assembly)
            .Where(File.Exists)
            .Order(StringComparer.Ordinal);
    }
}
