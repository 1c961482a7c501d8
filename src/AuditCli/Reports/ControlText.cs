using AuditCli.Controls;
using AuditCli.Controls.Loading;

namespace AuditCli.Reports;

/// <summary>Prints a control for readers: its purpose first, then the evidence it reads, then how it is tested.</summary>
internal static class ControlText
{
    /// <summary>Where values begin: two blanks after the longest label.</summary>
    private const int ValueColumn = 27;

    /// <summary>
    /// Returns the allowed range of a number or timestamp parameter, in brackets after a space; empty if the control does not limit it.
    /// </summary>
    public static string Limits(Control? definition, string parameter) =>
        definition?.Parameters.FirstOrDefault(p => p.Name == parameter) is { Form: { List: null } form } found && (form.Min is not null || form.Max is not null)
            ? $" ({form.Words(found.Column)})" : "";

    public static void Write(TextWriter output, LoadedControl loaded)
    {
        var control = loaded.Control;
        output.WriteLine($"{control.Id} {control.Version}  {control.Title}");
        output.WriteLine($"{Wording.Name(control.Domain)}; {control.NatureType}, {control.NatureExecution}; "
            + $"{control.Frequency}{(control.KeyControl ? "; key control" : "")}");
        output.WriteLine($"owner {control.Owner}; {loaded.Origin.ToString().ToLowerInvariant()}, sha256 {control.Sha256}");
        output.WriteLine();
        Line("objective", control.Objective);
        Line("risk", control.Risk);
        foreach (var (label, value) in RelianceWords.Of(control))
            Line(label.ToLowerInvariant(), value);
        Line("helps with", string.Join("; ", control.References.Select(r => $"{r.Key} {string.Join(", ", r.Value)}")));
        foreach (var parameter in control.Parameters)
        {
            var allowed = parameter.Form.SaysNothing ? "" : $" ({parameter.Form.Words(parameter.Column)})";
            Line("parameter", $"${parameter.Name} = {parameter.Default.GetRawText()}{allowed}: {parameter.Why}");
        }
        output.WriteLine();
        foreach (var need in control.Evidence)
        {
            Line(
                "evidence",
                $"{need.Name}: {need.Source} {need.Operation}"
                + $"{(need.ForEach is { } parent ? $", for each of {parent}" : "")}{(need.Where is { } where ? $" where {where}" : "")}"
                + $"{(need.Keep is { } keep ? $", keeps {keep}" : "")}{(need.Optional ? ", optional" : "")}");
        }
        foreach (var check in control.Completeness)
        {
            Line("complete if", check.Name);
            Line("  sources", RelianceWords.Sources(control, check.Name));
        }
        if (control.NoCompleteness is { } why)
            Line("no completeness check", why);
        foreach (var test in control.Tests)
        {
            output.WriteLine();
            output.WriteLine($"test {test.Id}{(test.Attribute is { } attribute ? $" (attribute {attribute})" : "")}, "
                + $"{(control.ModeOf(test) == ControlMode.Period ? "over the period" : "at a point in time")}: {test.Title}");
            foreach (var (label, value) in RelianceWords.Of(test).Concat(RelianceWords.OfPopulation(test)))
                Line($"  {label.ToLowerInvariant()}", value);
            foreach (var line in test.Sql.TrimEnd().Split('\n'))
                output.WriteLine($"    {line.TrimEnd()}");
        }
        output.WriteLine();
        foreach (var limitation in control.Limitations)
            Line("limitation", limitation);
        Line("recommendation", control.Recommendation);

        void Line(string label, string value) => output.WriteLine($"{label.PadRight(ValueColumn)}{value}");
    }
}
