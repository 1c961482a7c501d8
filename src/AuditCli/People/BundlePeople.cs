using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.People;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;

namespace AuditCli.People;

/// <summary>
/// What people state about a verified bundle, compared with the team of its sealed engagement. A signature shows which key signed, not whose
/// key it is: the team or the verifier says that.
/// </summary>
/// <param name="Folder">The folder of the statements.</param>
internal sealed record BundlePeople(string Folder, PeopleChain Chain, ImmutableArray<VerifyProblem> Problems, Engagement? Engagement, SignerTrust Trust)
{
    private const int ShownKey = 16;

    /// <summary>Reads and checks the statements.</summary>
    /// <param name="path">The full path of the bundle.</param>
    /// <param name="report">Its verification, which found its digest.</param>
    /// <exception cref="IOException">The folder or a file cannot be read.</exception>
    /// <param name="trust">The keys of people that the verifier knows.</param>
    /// <param name="revoked">Fingerprints of keys that are no longer valid.</param>
    /// <param name="head">The digest of the newest statement that the verifier recorded; null skips this check.</param>
    public static BundlePeople Read(
        string folder, string path, VerifyReport report, SignerTrust trust, ImmutableHashSet<Digest> revoked, Digest? head, AuditHost host)
    {
        var chain = PeopleChain.Read(folder, report.BundleId!, report.TagManifestSha256!.Value, host.Clock.GetUtcNow());
        var engagement = report.Answer == VerifyAnswer.Fails ? null : EngagementOf(path, report.TagManifestSha256.Value, host);
        var problems = chain.Problems.ToBuilder();
        if (head is not null && head != chain.Head)
            problems.Add(Wrong(VerifyCode.ChainHeadMismatch, ".", $"the newest statement is {chain.Head?.Hex ?? "none"}, not the expected {head}"));
        foreach (var statement in chain.Entries)
        {
            if (WhyNot(statement, engagement, trust, revoked) is { } problem)
                problems.Add(problem);
        }
        return new(folder, chain, problems.ToImmutable(), engagement, trust);
    }

    /// <summary>Returns the engagement of a bundle; null if it cannot be read, for example that of a shard.</summary>
    public static Engagement? EngagementOf(string path, Digest tagManifest, AuditHost host)
    {
        try
        {
            var files = BundleFolder.Sealed(path, tagManifest);
            return files.Has(BundleLayout.Engagement)
                ? EngagementLoader.OfBundle(files.Read(BundleLayout.Engagement), files.Has, host.Sources, []).Engagement
                : null;
        }
        catch (InvalidDataException)
        {
            // What is wrong with the bundle is reported by its verification.
            return null;
        }
    }

    /// <summary>Returns the verification of the bundle together with that of the statements.</summary>
    public VerifyReport In(VerifyReport report)
    {
        var answer = Problems.Any(p => p.Answer == VerifyAnswer.Fails) ? VerifyAnswer.Fails
            : Problems.IsEmpty ? VerifyAnswer.Holds
            : VerifyAnswer.Undecided;
        var detail = Problems.FirstOrDefault(p => p.Answer == answer) is { } first ? $"{first.Code} {first.Path}: {first.Message}" : Summary();
        return report with
        {
            Lines = [.. report.Lines, new(VerifyQuestion.People, answer, detail)],
            Problems = [.. report.Problems, .. Problems],
            ProblemCount = report.ProblemCount + Problems.Length,
        };
    }

    /// <summary>Returns one line for each statement.</summary>
    public IEnumerable<string> Lines() => Chain.Entries.Select(s => Line(s, Engagement, Trust));

    /// <summary>Returns a statement in one line, and whose key signed it.</summary>
    public static string Line(PeopleStatement s, Engagement? engagement, SignerTrust trust)
    {
        var said = string.Concat(
            s.Role is { } role ? $", {role}" : "",
            s.To is { } to ? $", to {to}" : "",
            s.DueBy is { } day ? string.Create(CultureInfo.InvariantCulture, $", complete on {day:yyyy-MM-dd}") : "",
            s.About is { } about ? $", about {about}" : "",
            s.ReplyTo is { } number ? string.Create(CultureInfo.InvariantCulture, $", in reply to {number}") : "",
            s.Why is { } why ? $", added because: {why}" : "",
            s.Note is { } note ? $": {note}" : "");
        var source = MemberOf(s, engagement) is not null ? "in the team"
            : trust.Keys.ContainsKey(s.Fingerprint) ? "trusted; role not checked"
            : "unknown; role not checked";
        var key = $"key {s.Fingerprint.Hex[..ShownKey]} ({source})";
        return PrintableText.Of(
            string.Create(CultureInfo.InvariantCulture, $"{s.Sequence,4} {s.Kind,-10} {Rfc3339.Format(s.At)} {s.By}, {key}{said}"), 1000);
    }

    private string Summary()
    {
        if (Chain.Entries.IsEmpty)
            return "nobody has stated anything";
        var signed = string.Join(", ", Chain.Entries.Where(s => s.Role is not null).Select(s => $"{s.Role} {s.By}"));
        return PrintableText.Of(string.Create(
            CultureInfo.InvariantCulture,
            $"{Chain.Entries.Length} statements, head {Chain.Head}; signed off by {(signed.Length > 0 ? signed : "nobody")}"));
    }

    private static TeamMember? MemberOf(PeopleStatement statement, Engagement? engagement) =>
        engagement?.Team.FirstOrDefault(m => m.Key == statement.Fingerprint);

    /// <summary>Returns why a key does not vouch for what is stated with it, or that nobody knows the key; null if it does.</summary>
    public static VerifyProblem? WhyNot(PeopleStatement statement, Engagement? engagement, SignerTrust trust, ImmutableHashSet<Digest> revoked)
    {
        var name = statement.FileName;
        var key = statement.Fingerprint.Hex[..ShownKey];
        if (revoked.Contains(statement.Fingerprint))
            return Wrong(VerifyCode.KeyRevoked, name, $"the key {key} of {statement.By} is revoked");
        if (MemberOf(statement, engagement) is { } member)
        {
            return !PersonName.IsSame(member.Name, statement.By)
                ? Wrong(VerifyCode.PeopleInconsistent, name, $"the key {key} is that of {member.Name} in the team, and signed as {statement.By}")
                : statement.Role is { } role && !IsRole(member.Role, role)
                    ? Wrong(VerifyCode.PeopleInconsistent, name, $"{member.Name} is no {role} in the team, and signed off as one")
                : null;
        }
        if (engagement?.Team.FirstOrDefault(m => m.Key is not null && PersonName.IsSame(m.Name, statement.By)) is { } other)
        {
            var listed = other.Key!.Value.Hex[..ShownKey];
            return Wrong(VerifyCode.PeopleInconsistent, name, $"signed as {statement.By} by the key {key}, and the team's is {listed}");
        }
        var own = engagement is null ? null
            : statement.Role == PeopleKind.Reviewer && PersonName.MayBe(statement.By, engagement.Preparer) ? PeopleKind.Preparer
            : statement.Role == PeopleKind.Preparer && PersonName.MayBe(statement.By, engagement.Reviewer) ? PeopleKind.Reviewer
            : null;
        if (own is not null)
            return Wrong(VerifyCode.PeopleInconsistent, name, $"{statement.By} is the engagement's {own}, and signed off as {statement.Role}");
        return trust.Keys.ContainsKey(statement.Fingerprint) ? null : new(
            VerifyQuestion.People, VerifyCode.PeopleUnknownKey, name,
            PrintableText.Of($"nobody says that the key {key} is that of {statement.By}: list it in the engagement's team, or give it to --trust-people"),
            VerifyAnswer.Undecided);
    }

    private static bool IsRole(TeamRole role, string word) =>
        role == TeamRole.Preparer && word == PeopleKind.Preparer || role == TeamRole.Reviewer && word == PeopleKind.Reviewer;

    private static VerifyProblem Wrong(string code, string file, string message) =>
        new(VerifyQuestion.People, code, PrintableText.Of(file), PrintableText.Of(message), VerifyAnswer.Fails);
}
