using System.Text.RegularExpressions;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>
/// Checks the codes that the program assigns. They are part of sealed bundles and of controls, so each is defined once, explained in the
/// manual, and used.
/// </summary>
public sealed partial class CodesTests
{
    /// <summary>Not a code, but a part of the names of AWS errors.</summary>
    private const string Word = "AnswerForm.cs: \"Expired\"";

    private static Type[] Holders => [.. typeof(Codes).Assembly.GetTypes().Where(t => !t.IsNested && t.Name.EndsWith("Codes", StringComparison.Ordinal))];

    private static (string Name, string Text)[] Files =>
        [
            .. OwnCodes.Source("AuditCli.Collectors").Select(f => (Path.GetFileName(f), OwnCodes.Text(f)))
                .Where(f => !f.Item1.EndsWith("Codes.cs", StringComparison.Ordinal)),
        ];

    [Fact]
    public void Every_constant_is_named_like_its_code_and_has_one_row_in_the_table()
    {
        var constants = Holders.SelectMany(OwnCodes.Constants).ToArray();
        Assert.All(constants, c => Assert.Equal(c.Name, c.Code));
        Assert.Equal(constants.Select(c => c.Code).Order(StringComparer.Ordinal), Codes.All.Where(c => !c.HasStatus).Select(c => c.Code));
        Assert.Equal(Codes.All.Length, Codes.All.DistinctBy(c => c.Shown).Count());
        Assert.True(Holders.Length >= 4 && constants.Length >= 50, $"{Holders.Length} classes, {constants.Length} constants");
    }

    [Fact]
    public void Every_row_says_in_one_sentence_each_what_happened_and_what_to_do() => Assert.All(
        Codes.All.SelectMany(c => new[] { c.Meaning, c.Next }),
        text => Assert.Matches(@"\A[A-Z`].*\.\z", text));

    [Fact]
    public void Every_code_is_given_or_compared_somewhere() =>
        Assert.Empty(Holders.SelectMany(h => OwnCodes.Unused(
            h, OwnCodes.Constants(h).Select(c => c.Name).Concat(h.GetMethod("OfStatus") is { } m ? [m.Name] : []))));

    /// <summary>Finds codes spelled out as literals, which could get out of step with the constant.</summary>
    [Fact]
    public void No_other_file_spells_a_code()
    {
        string[] literals =
        [
            .. OwnCodes.Examples(Codes.All).Select(c => $"\"{c}\""),
            .. Codes.All.Where(c => c is { HasStatus: true, Code.Length: > 0 }).Select(c => $"$\"{c.Code}{{"),
        ];
        Assert.Empty(Files.SelectMany(f => literals.Where(l => f.Text.Contains(l, StringComparison.Ordinal)).Select(l => $"{f.Name}: {l}")).Except([Word]));
    }

    [Fact]
    public void No_other_file_gives_a_code_that_is_not_in_the_table() =>
        Assert.Empty(Files.SelectMany(f => Given(f.Text).Select(l => $"{f.Name}: {l}")));

    [Theory]
    [InlineData("throw new CollectionException(\"NotThere\", message)", true)]
    [InlineData("throw new CollectionException(\n    \"NotThere\",\n    message)", true)]
    [InlineData("throw new CollectionException($\"Http{status}\", message)", true)]
    [InlineData("throw new ExchangeRefusedException(\"NotThere\", message)", true)]
    [InlineData("Failure = new ReadFailure(\"NotThere\", message, 1)", true)]
    [InlineData("reading.Failures.Add(\"NotThere\", message)", true)]
    [InlineData("faults.Add(\"NotThere\", message)", true)]
    [InlineData("=> new(\"NotThere\", $\"{what} is not there\")", true)]
    [InlineData("=> (\"NotThere\", e.Message)", true)]
    [InlineData("return new(\n    \"NotThere\", string.Create(culture, $\"{n}\"))", true)]
    [InlineData("throw new CollectionException(Codes.TimedOut, message)", false)]
    [InlineData("faults.Add($\"{input} cannot be read: {e.Message}\")", false)]
    [InlineData("=> new(code, $\"{what} is not there\")", false)]
    [InlineData("row.TryGetProperty(\"TrailARN\", out var arn)", false)]
    [InlineData("string[] names = [\"UserName\", \"GroupName\"];", false)]
    public void A_literal_in_the_place_of_a_code_is_found(string source, bool found) => Assert.Equal(found, Given(source).Any());

    [Fact]
    public void The_manual_has_the_table() => OwnCodes.AreInManual("While evidence is collected", Codes.All);

    private static IEnumerable<string> Given(string source) => Literal.Matches(source).Select(m => m.Value);

    /// <summary>
    /// Matches a literal where a code is expected, and one that looks like a code in front of what looks like its message.
    /// </summary>
    [GeneratedRegex("""
        (?:new\ (?:CollectionException|ExchangeRefusedException|ReadFailure)|\b[Ff](?:ailures|aults)\.Add)\(\s*\$?"[\w{}]*"\s*,
        | "[A-Z][A-Za-z0-9]*",\s*(?:\$"|\w+\.Message\b|string\.Create\()
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Literal { get; }
}
