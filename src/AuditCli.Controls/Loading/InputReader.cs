using System.Collections.Immutable;
using System.Security.Cryptography;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Loading;

/// <summary>Reads what an engagement says about the content of an input: where its rows are, and their totals.</summary>
internal static class InputReader
{
    /// <summary>Reads <c>sheet</c> and <c>rows</c>, which belong to one format each.</summary>
    /// <param name="file">The file's path; its extension is the format.</param>
    public static InputLayout Layout(MapReader reader, string file, FaultList faults)
    {
        var (sheet, rows) = (reader.OptionalText("sheet"), reader.OptionalText("rows"));
        var format = InputFormats.Of(file);
        if (sheet is not null && format != InputFormat.Workbook)
            faults.Meaning(reader.Map.Find("sheet")!.Position, "'sheet' is for .xlsx workbooks");
        if (rows is not null && !IsPointer(rows))
        {
            faults.Form(
                reader.Map.Find("rows")!.Position,
                "'rows' must be a JSON Pointer with at least one '*', which is each element or member, such as /items/*; write '~1' for '/' in a name");
        }
        else if (rows is not null && format != InputFormat.Json)
        {
            faults.Meaning(reader.Map.Find("rows")!.Position, format == InputFormat.Ndjson
                ? "each line of the file is a row, so leave 'rows' out"
                : "'rows' is for .json files");
        }
        return new(sheet, rows);
    }

    /// <summary>Reads <c>stated_totals</c>.</summary>
    public static ImmutableSortedDictionary<string, string> Totals(MapReader reader, FaultList faults)
    {
        var totals = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (column, value) in reader.OptionalEntries("stated_totals", TextForm.FileColumn))
        {
            if (value is YamlScalar { Text: var total } && IsTotal(total))
                totals[column.Text] = total;
            else
                faults.Form(value.Position, $"the total of '{column.Text}' must be a plain decimal such as 45000.15, with at most 38 digits after the point");
        }
        return totals.Count == 0 ? ImmutableSortedDictionary<string, string>.Empty : totals.ToImmutable();
    }

    /// <summary>Reads <c>receipt</c>, and compares the digest at receipt with the file's.</summary>
    /// <param name="file">The full path of the file; null where it is not to be compared, as in a bundle.</param>
    /// <param name="obtainedOn">The day on which the source gave the file.</param>
    public static InputReceipt? Receipt(MapReader reader, string name, string? file, DateOnly obtainedOn, FaultList faults)
    {
        if (reader.OptionalMap("receipt") is not { } receipt)
            return null;
        var at = receipt.Required("received_at") is { } node ? NodeReader.Timestamp(node, "'received_at'", faults) : null;
        var digest = Digest.TryParse(receipt.Formed("received_sha256", TextForm.Sha256), out var received) ? received : (Digest?)null;
        var read = new InputReceipt(
            receipt.Text("given_by"), receipt.Text("received_by"), at ?? default, digest ?? default, receipt.Text("source_system"),
            receipt.Word("source_kind", ControlWords.SourceKinds), receipt.OptionalText("transformations"), receipt.OptionalText("compared_to_source"));
        receipt.Close();
        if (at is null || digest is not { } stated)
            return null;
        if (PersonName.MayBe(read.GivenBy, read.ReceivedBy))
        {
            faults.Meaning(
                receipt.Map.Find("received_by")!.Position,
                $"input '{name}': '{read.ReceivedBy}' gave the file too; a receipt is from one person to another");
        }
        if (obtainedOn != default && DateOnly.FromDateTime(at.Value.UtcDateTime) < obtainedOn.AddDays(-1))
            faults.Meaning(receipt.Map.Find("received_at")!.Position, $"input '{name}' was received before its source gave it, on {obtainedOn:yyyy-MM-dd}");
        if (read.Transformations is null && file is not null && File.Exists(file) && DigestOf(file) is { } now && now != stated)
        {
            faults.Meaning(
                receipt.Map.Find("received_sha256")!.Position,
                $"input '{name}' was received with the SHA-256 {stated}, and the file has {now}: it was changed since; "
                + "give it as it was received, or say under 'transformations' what was done to it");
        }
        return read;
    }

    /// <summary>Returns the digest of a file; null where it cannot be read, which is a fault elsewhere.</summary>
    private static Digest? DigestOf(string file)
    {
        try
        {
            using var content = RegularFile.OpenRead(file);
            return Digest.FromHash(SHA256.HashData(content));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Whether a text is the sum of a column of any type: a plain decimal of any number of digits before the point.</summary>
    private static bool IsTotal(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var places = point < 0 ? "" : text[(point + 1)..];
        return ExactNumber.Whole(point < 0 ? text : text[..point]) is not null && places.Length <= ExactNumber.DecimalDigits
            && places.All(char.IsAsciiDigit) && (places.Length > 0) == (point >= 0);
    }

    private static bool IsPointer(string rows)
    {
        var segments = rows.Split('/');
        return segments is ["", _, ..] && segments.Contains("*")
            && segments.All(s => !s.Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal).Contains('~'));
    }
}
