using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Checks that <c>results.json</c> is what an evaluation of the bundle's own engagement, controls, index and rows can conclude, so that no
/// command prints a PASS that the bundle itself contradicts. Everything that follows without the controls' SQL is derived again; it does not
/// evaluate, as <c>reperform</c> does.
/// </summary>
internal static class ResultsCheck
{
    private const int MostLookedAt = 1000;

    /// <summary>The order of a difference that another one causes.</summary>
    private const int LeastOrder = 4;

    /// <summary>Returns the first contradiction; null if there is none. Rows are checked by <see cref="RowsCheck"/>.</summary>
    /// <param name="shown">The ids of the controls whose conclusions are used, for which SQL may be evaluated; null for all.</param>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file of the bundle cannot be read, or no process can be started that reads SQL.</exception>
    public static async Task<string?> WhyNotAsync(
        OpenedBundle bundle, AuditHost host, IReadOnlySet<string>? shown, CancellationToken cancellationToken)
    {
        if (ClaimedRules.WhyNot(bundle) is { } claimed)
            return claimed;
        foreach (var control in bundle.Results.Controls)
        {
            if ((bundle.Partitions(control).Select(t => WhyNot(control, t)).FirstOrDefault(w => w is not null) ?? WhyNot(control)) is { } wrong)
                return wrong;
        }
        var scope = bundle.Scope(host.Sources);
        if (bundle.Results.Controls.FirstOrDefault(c => c.NotApplicable is not null && scope.Controls.Any(s => s.Control.Id == c.Id)) is { } undecided)
            return $"{undecided.Id} is NOT_APPLICABLE, but the engagement does not leave it out";
        if ((WhyOtherNames(bundle, scope) ?? NotTestedCheck.WhyNot(bundle, scope)) is { } unknown)
            return unknown;
        var (derived, part) = await DerivedAsync(bundle, scope, host, shown, cancellationToken);
        var total = WhyOther(bundle.Results, derived);
        return part is null ? total?.Words : total is { } other && other.Order < part.Value.Order ? other.Words : part.Value.Words;
    }

    /// <summary>
    /// Returns the results as they must be (see <see cref="DerivedResult"/>), and the first difference in the results of a partition. Those of
    /// one control are in memory at a time.
    /// </summary>
    private static async Task<(EvaluationResults Results, (int Order, string Words)? WrongPart)> DerivedAsync(
        OpenedBundle bundle, SealedScope scope, AuditHost host, IReadOnlySet<string>? shown, CancellationToken cancellationToken)
    {
        var given = bundle.Results.Controls.ToLookup(c => c.Id, StringComparer.Ordinal);
        var derived = ImmutableArray.CreateBuilder<ControlResult>();
        (int Order, string Words)? wrongPart = null;
        EvaluationProcess? process = null;
        try
        {
            foreach (var control in scope.Controls)
            {
                var result = given[control.Control.Id].FirstOrDefault() ?? Missing(control);
                if (shown?.Contains(result.Id) == false && given.Contains(result.Id))
                {
                    derived.Add(result);
                    continue;
                }
                var derivation = new DerivedResult(control with { Origin = result.Origin }, scope.Evidence.PartitionsOf(control.Control), scope.Moment)
                {
                    IsCurrent = bundle.Record.IsCurrent,
                };
                ImmutableArray<TestResult> parts = [.. bundle.Partitions(result)];
                var listed = bundle.Record.IsCurrent && DerivedRegisters.Of(control.Control).Any();
                if (listed || derivation.NeedsSql(parts))
                {
                    process ??= host.StartEvaluation(EvaluationLimits.Reading);
                    derivation = derivation.With(await process.EvidenceOfAsync(control.Control, cancellationToken));
                }
                if (listed)
                {
                    derivation = derivation.With(
                        await SealedRegisters.EvaluateAsync(bundle, control, scope.Moment, result.Registers, process!, cancellationToken));
                }
                var (right, rightParts) = derivation.Of(result, parts);
                wrongPart ??= WhyOther(result.Id, parts, rightParts);
                derived.Add(WithAnswers(bundle, right, result, control.Control));
            }
        }
        finally
        {
            if (process is not null)
                await process.DisposeAsync();
        }
        derived.AddRange(scope.LeftOut.Select(l => given[l.Control.Id].FirstOrDefault() is { } result
            ? ControlResult.LeftOut(new(l.Control, result.Origin, [.. l.Control.Parameters.Select(EffectiveParameter.Of)]), l.Decision)
            : Missing(new(l.Control, l.Origin, []))));
        // About a control whose file is not the one that concluded, readers say so.
        derived.AddRange(bundle.Results.Controls.Where(c => bundle.WhyAnotherControl(c) is not null || bundle.ControlOf(c, host.Sources) is null));
        var results = bundle.Record.IsCurrent
            ? EvaluationResults.From(bundle.Results.Engine, scope.Moment, scope.Evidence.Clock, derived, bundle.Results.NotTested)
            : bundle.Results with { Controls = [.. derived.OrderBy(c => c.Id, StringComparer.Ordinal)] };
        return (results with { Schema = bundle.Results.Schema }, wrongPart);
    }

    /// <summary>Returns a derived result with people's answers, which only a bundle has that was concluded with them.</summary>
    private static ControlResult WithAnswers(OpenedBundle bundle, ControlResult derived, ControlResult given, Control control)
    {
        var collected = derived with { Answers = null, Dispositions = null, Collected = null };
        return bundle.Record.Concluded is null ? collected
            : PeopleAnswers.Conclude(collected, control, given.Answers ?? [], given.Dispositions ?? []);
    }

    /// <summary>Returns the first difference between a control's results by partition and those that follow; null if there is none.</summary>
    private static (int Order, string Words)? WhyOther(string control, ImmutableArray<TestResult> given, ImmutableArray<TestResult> derived) =>
        given.Select(ResultsJson.Element).SequenceEqual(derived.Select(ResultsJson.Element), ElementComparer)
            ? null
            : First(Tests(control, given), Tests(control, derived), Order);

    private static EqualityComparer<JsonElement> ElementComparer { get; } = EqualityComparer<JsonElement>.Create(JsonElement.DeepEquals);

    /// <summary>Returns results by partition in the form in which differences are named: as members of their control.</summary>
    private static JsonElement Tests(string control, ImmutableArray<TestResult> parts) => JsonSerializer.SerializeToElement(
        new Dictionary<string, object[]> { ["controls"] = [new { id = control, tests = parts.Select(ResultsJson.Element) }] });

    /// <summary>Returns a result that no bundle has, for a control that is missing in the results.</summary>
    private static ControlResult Missing(ControlInScope scope) => new(
        scope.Control.Id, scope.Control.Version, scope.Control.Sha256, scope.Origin, Conclusion.Error, scope.Control.Title, scope.Control.Domain,
        0, 0, 0, 0, 0, [], [], WaiverSummary.None, [], []);

    /// <summary>Returns why a name in the index is not one of a control's evidence, or its control has no result; null if all are.</summary>
    private static string? WhyOtherNames(OpenedBundle bundle, SealedScope scope)
    {
        var results = bundle.Results.Controls.Select(c => c.Id).ToImmutableHashSet(StringComparer.Ordinal);
        var needs = scope.Controls.ToImmutableDictionary(
            c => c.Control.Id, c => c.Control.Evidence.Select(n => n.Name).ToImmutableHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (control, name) in bundle.Index.SelectMany(i => i.Names).Distinct())
        {
            var shown = PrintableText.Of(control);
            if (!results.Contains(control))
                return $"{BundleLayout.EvidenceIndex} has evidence of {shown}, for which results.json has no result";
            if (needs.TryGetValue(control, out var known) && !known.Contains(name))
            {
                return $"{BundleLayout.EvidenceIndex} has the evidence '{PrintableText.Of(name)}' of {shown}, "
                    + $"which {BundleLayout.Control(control)} does not have";
            }
        }
        return null;
    }

    private static (int Order, string Words)? WhyOther(EvaluationResults given, EvaluationResults derived)
    {
        var (written, right) = (ResultsJson.Write(given), ResultsJson.Write(derived));
        if (written.AsSpan().SequenceEqual(right))
            return null;
        // A run removes what looks like a credential from its results.
        if (CredentialScan.Clean(right) is { } clean && written.AsSpan().SequenceEqual(right = ResultsJson.Write(ResultsJson.Read(clean))))
            return null;
        // Totals of tests follow from the results by partition, which are compared by themselves.
        return First(
            JsonElement.Parse(written), JsonElement.Parse(right), d => d.Path.Contains(" tests ", StringComparison.Ordinal) ? LeastOrder : Order(d));
    }

    private static (int Order, string Words) First(JsonElement given, JsonElement right, Func<JsonDifference, int> order) =>
        JsonDifference.Between(given, right).Take(MostLookedAt).MinBy(order) is { } first
            ? (order(first), PrintableText.Of(Words(first), 1000))
            : (LeastOrder, "its lists are in another order");

    /// <summary>Orders differences so that a cause comes before the conclusions that follow from it.</summary>
    private static int Order(JsonDifference difference) =>
        difference.Before is null || difference.After is null ? 0
        : !difference.Path.EndsWith(" conclusion", StringComparison.Ordinal) ? 1
        : difference.Path.Contains(" tests ", StringComparison.Ordinal) ? 2
        : 3;

    /// <summary>Says a difference from what the bundle's own files require.</summary>
    private static string Words(JsonDifference difference)
    {
        var what = difference.Path.StartsWith("controls ", StringComparison.Ordinal) ? difference.Path["controls ".Length..] : difference.Path;
        return difference switch
        {
            { Before: null } => $"{what} is missing, which follows from the bundle's controls and index",
            { After: null } => $"{what} is there, which does not follow from the bundle's controls and index",
            _ => $"{what} is {difference.Before}, but {difference.After} follows from the bundle's controls and index",
        };
    }

    private static string? WhyNot(ControlResult control, TestResult test)
    {
        string Said(string but) => $"{control.Id} {test.Id} in {Place(test)} is {Word(test.Conclusion)}, but {but}";
        var failed = test.Deviations + test.Approved + test.Undetermined + test.Indicated;
        if (Counts(test).Any(n => n < 0) || failed > test.Population)
            return Said("its counts are not those of one population");
        if (test.Conclusion == Conclusion.Error != test.Error is not null)
            return Said(test.Error is null ? "no error is recorded" : "an error is recorded");
        switch (test.Conclusion)
        {
            case Conclusion.Pass or Conclusion.NoOccurrence:
                return test.Deviations > 0 ? Said(Items(test.Deviations, "failed without an approval"))
                    : test.Undetermined > 0 ? Said(Items(test.Undetermined, "could not be determined"))
                    : test.Indicated > 0 ? Said(Items(test.Indicated, "failed in incomplete evidence"))
                    : test.Completeness.FirstOrDefault(c => !c.Agree) is { } check ? Said($"its completeness check '{check.Name}' does not agree")
                    : test.Population == 0 && test.Conclusion == Conclusion.Pass ? Said("its population is empty")
                    : test.Population > 0 && test.Conclusion == Conclusion.NoOccurrence ? Said("it has a population")
                    : null;
            case Conclusion.Fail:
                return test.Deviations == 0 ? Said("none of its items failed without an approval") : null;
            case Conclusion.Inconclusive:
                return test.Deviations > 0 ? Said(Items(test.Deviations, "failed without an approval")) : null;
            case Conclusion.Error:
                return null;
            default:
                return Said("no test concludes so");
        }
    }

    private static string? WhyNot(ControlResult control)
    {
        string Said(string but) => $"{control.Id} is {Word(control.Conclusion)}, but {but}";
        if (control.Conclusion == Conclusion.NotApplicable || control.NotApplicable is not null)
        {
            return control.NotApplicable is null ? Said("nobody decided that")
                : control.Conclusion != Conclusion.NotApplicable || !control.Tests.IsEmpty ? Said("the engagement leaves it out")
                : null;
        }
        var tested = control.Tests.IsEmpty ? Conclusion.Inconclusive : control.Tests.Min(t => t.Conclusion);
        var collected = control.Collected ?? control.Conclusion;
        var isOpen = collected == Conclusion.NeedsReview && tested is Conclusion.Pass or Conclusion.NoOccurrence;
        return collected != tested && !isOpen ? Said($"its tests are {Word(tested)}")
            : tested is Conclusion.Pass or Conclusion.NoOccurrence && control.Deviations + control.Undetermined + control.Indicated > 0
                ? Said("it counts items that failed or could not be determined")
            : null;
    }

    /// <summary>The counts of a test, in the order in which rows are counted.</summary>
    public static ImmutableArray<long> Counts(TestResult test) => [test.Population, test.Deviations, test.Approved, test.Undetermined, test.Indicated];

    private static string Items(long count, string which) => string.Create(CultureInfo.InvariantCulture, $"{count} of its items {which}");

    private static string Place(TestResult test) => Place(test.Partition.Target, test.Partition.Account);

    /// <summary>Returns a partition as messages name it.</summary>
    public static string Place(string target, string account) => PrintableText.Of(account.Length == 0 ? "the inputs" : $"{target} {account}");

    private static string Word(Conclusion conclusion) => ControlWords.Of(ControlWords.Conclusions, conclusion);
}
