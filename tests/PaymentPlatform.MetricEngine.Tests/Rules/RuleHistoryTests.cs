using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

public sealed class RuleHistoryTests
{
    [Fact]
    public void Check_ChangedRuleOfTheSameVersion_IsRefused()
    {
        var history = History(Rule(1, 1));
        Assert.Equal("f:2: rule first: means something else than under version 1 in version 1 of the rules: raise its version to 2.", Assert.Single(history.Check(Set(Rule(1, 2)), "f")).ToString());
        Assert.Empty(history.Check(Set(Rule(1, 1)), "f"));
        Assert.Empty(history.Check(Set(Rule(2, 2)), "f"));
    }

    [Fact]
    public void Check_RuleThatWasGone_IsRefusedUnderEachVersionItHadWithAnotherMeaning()
    {
        var history = History(Rule(1, 1), Rule(4, 4), Rule(1, 1, "second"));
        Assert.Equal("means something else than under version 1 in version 1 of the rules: raise its version to 5.", Message(history, Rule(1, 2)));
        Assert.Equal("means something else than under version 4 in version 2 of the rules: raise its version to 5.", Message(history, Rule(4, 2)));
        foreach (var free in (string[])[Rule(1, 1), Rule(4, 4), Rule(2, 2), Rule(5, 1)])
            Assert.Empty(history.Check(Set(free), "f"));
    }

    [Fact]
    public void Check_LowerVersionThanInTheLatestFile_IsRefusedUnlessItMeansTheSame()
    {
        var history = History(Rule(1, 1), Rule(3, 3));
        Assert.Equal("means something else than in the latest rules, where it has version 3: raise its version to 4.", Message(history, Rule(1, 1)));
        Assert.Equal("means something else than in the latest rules, where it has version 3: raise its version to 4.", Message(history, Rule(2, 2)));
        Assert.Empty(history.Check(Set(Rule(2, 3)), "f"));
    }

    [Fact]
    public void Check_VersionThatMeantTwoThings_TheLastOneCounts()
    {
        var history = History(Rule(1, 1), Rule(1, 2));
        Assert.Empty(history.Check(Set(Rule(1, 2)), "f"));
        Assert.Equal("means something else than under version 1 in version 2 of the rules: raise its version to 2.", Message(history, Rule(1, 1)));
    }

    [Fact]
    public void Add_RulesThatCantBeReadOrAreKnown_ChangeNothing()
    {
        var history = History(Rule(1, 1), "rules: none");
        history.Add(1, Rule(1, 2));
        Assert.Equal(2, history.Newest);
        Assert.NotEmpty(history.Check(Set(Rule(1, 2)), "f"));
        Assert.Empty(history.Check(Set(Rule(1, 1)), "f"));
    }

    private static RuleHistory History(params string[] versions)
    {
        var history = new RuleHistory();
        foreach (var (index, yaml) in versions.Index())
            history.Add(index + 1, yaml);
        return history;
    }

    private static string Message(RuleHistory history, string rules) => Assert.Single(history.Check(Set(rules), "f")).Message;

    private static RuleSet Set(string yaml) => RuleSets.Valid(yaml);

    private static string Rule(int version, int amount, string name = "first") => $"rules:\n  - name: {name}\n    version: {version}\n    metric_type: count\n    condition: amount > {amount}\n";
}
