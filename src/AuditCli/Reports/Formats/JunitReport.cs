using System.Globalization;
using System.Text;
using System.Xml;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes JUnit XML for CI: a suite per control, a case per test and account. FAIL is a failure. What was not concluded is an error, so
/// that no consumer counts it as passed. What had nothing to test, or was not tested, is skipped.
/// </summary>
internal sealed class JunitReport : IReportFormat
{
    private const int ExceptionsShown = 50;
    private const int TextShown = 1000;

    public string Name => "junit";

    public string FileName => "results.junit.xml";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        var suites = workpaper.Controls.Select(c => (Control: c, Cases: Cases(c))).ToArray();
        var all = suites.SelectMany(s => s.Cases).ToArray();
        var settings = new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true, NewLineChars = "\n", CloseOutput = false };
        using var xml = XmlWriter.Create(output, settings);
        xml.WriteStartDocument();
        xml.WriteStartElement("testsuites");
        Attribute(xml, "name", workpaper.Run.ReplayLine is { } replay ? $"{replay}: {workpaper.Title}" : workpaper.Title);
        Counts(xml, [.. all.Select(c => c.Conclusion)], workpaper.Results.NotTested.Length);
        WriteScope(xml, workpaper);
        foreach (var (control, cases) in suites)
        {
            xml.WriteStartElement("testsuite");
            Attribute(xml, "name", $"{control.Result.Id} {control.Result.Title}");
            Counts(xml, [.. cases.Select(c => c.Conclusion)], 0);
            Attribute(xml, "timestamp", RunRecord.Second(workpaper.Run.Started).TrimEnd('Z'));
            WriteProperties(xml,
            [
                ("conclusion", control.Conclusion), ("version", control.Result.Version), ("origin", control.Origin),
                ("population", control.Counts.PopulationWords), ("exceptions", $"{control.Counts.Exceptions}"), ("approved", $"{control.Counts.Approved}"),
                .. control.Counts.Tests.Select(t => ($"test {t.Test}", t.Count.Words)),
                ("rows of its evidence", control.TableRowsLine), ("holds for", workpaper.SpanOf(control)),
                .. control.Result.Limitations.Select(l => ("limitation", ControlReasons.Limitation(l))),
                .. control.Answered.Select(a => ("answer", a)),
                .. ControlReasons.Remarks(control.Result).Select(r => ("remark", r)),
            ]);
            var listed = Listed.Of(workpaper, control, cancellationToken);
            foreach (var one in cases)
                WriteCase(xml, control, one, one.Test is { } test ? listed.GetValueOrDefault((test.Id, test.Partition)) : null);
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        xml.WriteEndDocument();
    }

    private sealed record Case(string Name, Conclusion Conclusion, TestResult? Test);

    /// <summary>
    /// Returns the tests by account, and the conclusion itself if the tests do not lead to it (an open question to a person, or nothing
    /// tested).
    /// </summary>
    private static Case[] Cases(WorkpaperControl control)
    {
        var tests = control.Partitions.Select(t => new Case(
            $"{t.Id} {Wording.Place(t.Partition.Target, t.Partition.Account)}: {control.Test(t.Id)?.Title ?? ""}", t.Conclusion, t)).ToArray();
        return tests.Length > 0 && tests.Min(t => t.Conclusion) == control.Result.Conclusion
            ? tests
            : [.. tests, new("conclusion", control.Result.Conclusion, null)];
    }

    private static void WriteScope(XmlWriter xml, Workpaper workpaper)
    {
        xml.WriteStartElement("testsuite");
        Attribute(xml, "name", "Scope, and what narrows it");
        Counts(xml, [], workpaper.Results.NotTested.Length);
        WriteProperties(xml,
        [
            .. workpaper.Run.ReplayLine is { } replay ? [("replay", replay)] : Array.Empty<(string, string)>(),
            .. workpaper.Identification,
            .. workpaper.Notes.Select(n => (n.Kind, n.Text)),
        ]);
        foreach (var not in workpaper.Results.NotTested)
        {
            xml.WriteStartElement("testcase");
            Attribute(xml, "classname", "not tested");
            Attribute(xml, "name", not.Id);
            xml.WriteStartElement("skipped");
            Attribute(xml, "message", not.Reason);
            xml.WriteEndElement();
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static void WriteCase(XmlWriter xml, WorkpaperControl control, Case one, Listed? listed)
    {
        xml.WriteStartElement("testcase");
        Attribute(xml, "classname", control.Result.Id);
        Attribute(xml, "name", one.Name);
        Attribute(xml, "time", "0");
        if (Element(one.Conclusion) is { } element)
        {
            xml.WriteStartElement(element);
            Attribute(xml, "message", one.Test is { } test
                ? $"{Wording.Name(one.Conclusion)}: {ItemCount.Of(test).Words}"
                : $"{Wording.Name(one.Conclusion)}: {control.Meaning}");
            if (element != "skipped")
                Attribute(xml, "type", Wording.Name(one.Conclusion));
            Text(xml, Details(control, one, listed));
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static string Details(WorkpaperControl control, Case one, Listed? listed)
    {
        var text = new StringBuilder();
        var reasons = one.Test is not { } test ? control.Reasons
            : one.Conclusion is Conclusion.Inconclusive or Conclusion.Error ? ControlReasons.Of(control.Result, test)
            : [];
        foreach (var reason in reasons.Take(ExceptionsShown))
            text.Append(Terminal.Line(reason, TextShown)).Append('\n');
        if (listed is null || one.Conclusion is Conclusion.Pass or Conclusion.NoOccurrence)
            return text.ToString();
        text.Append(listed.Text);
        if (listed.All > ExceptionsShown)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{ExceptionsShown} of {listed.All} are given; {listed.File} has them all\n");
        }
        return text.ToString();
    }

    /// <summary>The items that a case lists: those of its account that are exceptions or could not be determined.</summary>
    private sealed class Listed
    {
        public StringBuilder Text { get; } = new();
        public long All { get; private set; }

        /// <summary>The file that has the items.</summary>
        public required string File { get; init; }

        /// <summary>Returns the items of every test and account of a control; reads its populations once.</summary>
        public static Dictionary<(string Test, PartitionName Partition), Listed> Of(
            Workpaper workpaper, WorkpaperControl control, CancellationToken cancellationToken)
        {
            var cases = new Dictionary<(string, PartitionName), Listed>();
            foreach (var row in control.Tests.SelectMany(t => workpaper.Bundle.Rows(control.Result.Id, t)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (row.Verdict is ItemVerdict.Pass or ItemVerdict.Approved)
                    continue;
                var name = (row.Test, new PartitionName(row.Target, row.Account));
                if (!cases.TryGetValue(name, out var one))
                    cases[name] = one = new() { File = row.File };
                if (++one.All <= ExceptionsShown)
                {
                    one.Text.Append(
                        CultureInfo.InvariantCulture,
                        $"{row.ExceptionId ?? row.Result} {Terminal.Line(row.Item, TextShown)}: {Terminal.Line(row.Reason ?? row.Result, TextShown)}"
                        + $"{(control.SaidOf(row) is { } said ? $"; {Terminal.Line(said, TextShown)}" : "")}\n");
                }
            }
            return cases;
        }
    }

    private static string? Element(Conclusion conclusion) => conclusion switch
    {
        Conclusion.Pass => null,
        Conclusion.Fail => "failure",
        Conclusion.NoOccurrence or Conclusion.NotApplicable => "skipped",
        _ => "error",
    };

    private static void Counts(XmlWriter xml, Conclusion[] cases, int notTested)
    {
        int Of(string element) => cases.Count(c => Element(c) == element);
        Attribute(xml, "tests", $"{cases.Length + notTested}");
        Attribute(xml, "failures", $"{Of("failure")}");
        Attribute(xml, "errors", $"{Of("error")}");
        Attribute(xml, "skipped", $"{Of("skipped") + notTested}");
        Attribute(xml, "time", "0");
    }

    private static void WriteProperties(XmlWriter xml, (string Name, string Value)[] properties)
    {
        xml.WriteStartElement("properties");
        foreach (var (name, value) in properties)
        {
            xml.WriteStartElement("property");
            Attribute(xml, "name", name);
            Attribute(xml, "value", value);
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(name, Terminal.Line(value, TextShown));

    private static void Text(XmlWriter xml, string value) => xml.WriteString(value);
}
