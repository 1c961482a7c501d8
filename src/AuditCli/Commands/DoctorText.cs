using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Collectors;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary>Formats the result of <c>doctor</c>.</summary>
internal static class DoctorText
{
    private const int LongestLine = 500;
    private static readonly TimeSpan LargeOffset = TimeSpan.FromMinutes(1);

    public static void Write(TextWriter output, Examination found)
    {
        void Line(string text) => output.WriteLine(PrintableText.Of(text.ReplaceLineEndings(" "), LongestLine));
        foreach (var line in Tool.Describe().Split('\n'))
            Line(line.TrimEnd());
        Line($"disk {(found.FreeBytes is { } free ? string.Create(CultureInfo.InvariantCulture, $"{free / 1e9:0.0} GB free") : "unknown")} at {found.Place}");
        foreach (var (host, offset) in found.ClockOffsets)
        {
            if (offset.Duration() >= LargeOffset)
            {
                Line($"clock {host} is {offset.Duration().TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s "
                    + $"{(offset > TimeSpan.Zero ? "ahead of" : "behind")} this machine; correct this machine's clock before a run, or dates are in doubt");
            }
        }
        if (found.ClockOffsets.Count > 0 && found.ClockOffsets.Values.All(o => o.Duration() < LargeOffset))
            Line($"clock agrees with {Wording.Count(found.ClockOffsets.Count, "host")} to a minute");
        foreach (var endpoint in found.UnusualEndpoints)
            Line($"endpoint that is not the provider's own: {endpoint}");
        foreach (var target in found.Targets)
        {
            Line("");
            Target(target, Line);
        }
        if (!found.NotSupplied.IsEmpty || !found.Inputs.IsEmpty)
            Line("");
        foreach (var input in found.Inputs)
        {
            Line($"input {input.Name}: {(input.Rows is { } rows ? Wording.Count(rows, "row") : "no control reads it")}, {input.Shown}"
                + $"{(input.IsLimited ? ": CANNOT BE RELIED ON, see the messages above" : "")}");
        }
        foreach (var (input, controls) in found.NotSupplied)
            Line($"input {input} is not supplied: its table would be empty for {controls}");
        foreach (var not in found.NotTested)
            Line($"not tested: {not.Id}: {not.Reason}");
        Line("");
        Line(Verdict(found));
    }

    /// <summary>Returns the last line. It gives the all-clear only if every operation was tried and answered.</summary>
    private static string Verdict(Examination found)
    {
        var readable = found.Readings.Count(o => o.Outcome == ProbeOutcome.Readable);
        var limited = found.Inputs.Count(i => i.IsLimited);
        if (found.ExitCode != ExitCode.Ok)
        {
            var targets = found.Targets.Count(t => t.Failure is not null || !t.IsRead);
            var accounts = found.Targets.Where(t => t.Failure is null).Sum(t => t.NotEntered.Count());
            var refused = found.Readings.Where(o => o.Outcome == ProbeOutcome.Refused)
                .Select(o => o.Request.Operation.Name).Distinct(StringComparer.Ordinal).Count();
            return $"{string.Join(", ", new[]
            {
                targets > 0 ? $"{Wording.Count(targets, "target")} cannot be entered" : "",
                accounts > 0 ? $"{Wording.Count(accounts, "account")} cannot be entered or counted" : "",
                refused > 0 ? $"{Wording.Count(refused, "operation")} cannot be read everywhere" : "",
                limited > 0 ? $"{Wording.Count(limited, "input")} cannot be relied on, as said above" : "",
            }.Where(p => p.Length > 0))}{(found.IsDenied ? "; what has to be granted: auditcli permissions" : "")}";
        }
        if (readable > 0 && found.NotTried == 0 && found.AccountsNotAsked == 0)
            return "everything that was tried can be read";
        if (found.Targets.IsEmpty && !found.Inputs.IsEmpty)
            return $"{Wording.Count(found.Inputs.Length, "input")} can be read; no target is asked for anything";
        var accountsLeft = found.AccountsNotAsked > 0 ? $"; not asked: {Wording.Count(found.AccountsNotAsked, "account")}" : "";
        return $"{readable} of {Wording.Count(found.Readings.Count(), "reading")} succeeded and none was refused; not tried: {found.NotTried}{accountsLeft}";
    }

    public static string Json(Examination found) => new JsonObject
    {
        ["version"] = Tool.Version,
        ["exit_code"] = found.ExitCode,
        ["free_bytes"] = found.FreeBytes,
        ["clock_offset_seconds"] = new JsonObject(
            found.ClockOffsets.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)Math.Round(o.Value.TotalSeconds, 3)))),
        ["unusual_endpoints"] = new JsonArray([.. found.UnusualEndpoints.Select(e => (JsonNode)e)]),
        ["inputs"] = new JsonArray([.. found.Inputs.Select(i => (JsonNode)new JsonObject
        {
            ["name"] = i.Name, ["file"] = i.Shown, ["rows"] = i.Rows, ["reliable"] = !i.IsLimited,
        })]),
        ["inputs_not_supplied"] = new JsonArray([.. found.NotSupplied.Select(i => (JsonNode)i.Input)]),
        ["targets"] = new JsonArray([.. found.Targets.Select(t => (JsonNode)new JsonObject
        {
            ["name"] = t.Target.Name,
            ["source"] = t.Target.Source,
            ["failure"] = t.Failure is { } f ? new JsonObject { ["code"] = f.Code, ["message"] = f.Message } : null,
            ["accounts"] = new JsonArray([.. t.Accounts.Where(a => a.Connection is not null).Select(a => (JsonNode)Account(a, a.Connection!))]),
            ["accounts_asked"] = t.AccountsAsked,
            ["operations"] = new JsonArray([.. t.Operations.Select(o => (JsonNode)new JsonObject
            {
                ["operation"] = o.Request.Operation.Name,
                ["account"] = o.Account,
                ["region"] = o.Region,
                ["outcome"] = Word(o.Outcome),
                ["code"] = o.Code,
                ["message"] = o.Message,
                ["controls"] = new JsonArray(
                    [.. o.Request.Names.Select(n => n.Control).Distinct().Order(StringComparer.Ordinal).Select(c => (JsonNode)c)]),
            })]),
        })]),
        ["not_tested"] = new JsonArray([.. found.NotTested.Select(n => (JsonNode)new JsonObject { ["id"] = n.Id, ["reason"] = n.Reason })]),
    }.ToJsonString(PrintedJson.Options);

    private static JsonObject Account(ReachedTarget account, Connection connection) => new()
    {
        ["account"] = account.Account,
        ["identity"] = connection.Identity,
        ["regions"] = new JsonArray([.. connection.Regions.Select(r => (JsonNode)r)]),
        ["left_out"] = connection.LeftOut,
        ["read_through"] = account.ReadThrough,
        ["failure"] = (account.Failure ?? connection.RegionsUnread) is { } w ? new JsonObject { ["code"] = w.Code, ["message"] = w.Message } : null,
    };

    private static void Target(ProbedTarget target, Action<string> line)
    {
        if (target.Failure is { } failure)
        {
            line($"target {target.Target.Name} CANNOT BE ENTERED: {failure.Code}: {failure.Message}");
            return;
        }
        var reachable = target.Readable.ToArray();
        if (reachable.Length == 0)
            line($"target {target.Target.Name} {(target.IsRead ? "is read through other targets" : "HAS NO ACCOUNT that could be read")}");
        foreach (var connection in reachable.Take(5))
        {
            var regions = connection.Regions.All(r => r == connection.GlobalRegion) ? "" : $" in {string.Join(", ", connection.Regions)}";
            line($"target {target.Target.Name} is account {connection.Account}, {connection.ReadAs}{regions}");
        }
        if (reachable.Length > 5)
            line($"  and {reachable.Length - 5} more accounts");
        if (target.AccountsAsked < reachable.Length)
            line($"  tried in the first {target.AccountsAsked} of {reachable.Length} accounts");
        foreach (var (account, other) in target.ReadElsewhere)
            line($"  account {account} is read through target {other}");
        foreach (var (account, why) in target.NotEntered)
        {
            line($"  {(account.Length == 0 ? "THE LIST OF ACCOUNTS MAY BE INCOMPLETE" : $"account {account} CANNOT BE ENTERED")}: "
                + $"{why.Code}: {why.Message}");
        }
        foreach (var connection in target.Connections.Where(c => c.LeftOut is not null))
            line($"  {connection.LeftOut}");
        var readable = target.Operations.Count(o => o.Outcome == ProbeOutcome.Readable);
        var refused = target.Operations.Where(o => o.Outcome == ProbeOutcome.Refused).ToArray();
        line($"  {readable} of {Wording.Count(target.Operations.Length, "reading")} succeed, {refused.Length} do not, "
            + $"{target.Operations.Length - readable - refused.Length} were not tried");
        foreach (var same in refused.GroupBy(o => (o.Request.Operation.Name, o.Code)))
        {
            var places = same.Select(o => $"{o.Account} {(o.Region.Length == 0 ? "any region" : o.Region)}").Distinct().Take(5);
            line($"  CANNOT READ {same.Key.Name} in {string.Join(", ", places)}{(same.Count() > 5 ? $" and {same.Count() - 5} more" : "")}: "
                + $"{same.Key.Code}: {same.First().Message}");
            line($"    needed by {Controls(same)}");
        }
        foreach (var same in target.Operations.Where(o => o.Outcome == ProbeOutcome.NotAsked).GroupBy(o => (o.Request.Operation.Name, o.Message)))
            line($"  not asked: {same.Key.Name}{(same.Count() > 1 ? $" in {same.Count()} places" : "")}: {same.Key.Message}");
    }

    private static string Controls(IEnumerable<ProbedOperation> operations) =>
        string.Join(", ", operations.SelectMany(o => o.Request.Names).Select(n => n.Control).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    private static string Word(ProbeOutcome outcome) => outcome switch
    {
        ProbeOutcome.Readable => "readable",
        ProbeOutcome.Refused => "refused",
        ProbeOutcome.NotAsked => "not_asked",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };
}
