using System.Text.RegularExpressions;

namespace AuditCli.Controls.Yaml;

/// <summary>A text with a fixed form, and how a message describes it.</summary>
internal sealed partial record TextForm(Regex Pattern, string Described)
{
    /// <summary>The names of targets, evidence and inputs.</summary>
    public static readonly TextForm Name = new(NamePattern(), "a name of lower-case letters, digits, '-' and '_', at most 63, not beginning with '-' or '_'");

    public static readonly TextForm ControlId = new(ControlIdPattern(), "an id such as APD-AWS-002 (<DOMAIN>-<SOURCE>-<NNN>)");

    public static readonly TextForm Version = new(VersionPattern(), "a semantic version such as 1.0.0");

    /// <summary>The IDs of tests and of human questions, which become parts of file names.</summary>
    public static readonly TextForm PartId = new(PartIdPattern(), "an id such as T1 (letters, digits, '-' and '_', at most 32, beginning with a letter)");

    /// <summary>A name that SQL binds as <c>$name</c>.</summary>
    public static readonly TextForm Parameter = new(ParameterPattern(), "a name such as grace_days (lower-case letters, digits and '_')");

    public static readonly TextForm Framework = new(FrameworkPattern(), "a framework with its version such as iso-27001-2022");

    /// <summary>A clause of a framework, as its document numbers it; no colon and no <c>*</c>, which filters use.</summary>
    public static readonly TextForm Clause = new(
        ClausePattern(), "a clause such as CC6.1 or GOVERN 1.6 (letters, digits, blanks, '.', '-', '_', '/' and brackets, at most 40)");

    /// <summary>A column of a file, as its header writes it.</summary>
    public static readonly TextForm FileColumn = new(FileColumnPattern(), "a column name, at most 128 characters, not beginning with '_' or a blank; or _key");

    /// <summary>The unit that reports count, in a form that can be put into the plural.</summary>
    public static readonly TextForm Unit = new(
        UnitPattern(), "a noun in the singular such as 'access key' (letters, digits, '-' and single blanks, at most 40, ending with the noun)");

    public static readonly TextForm Sha256 = new(Sha256Pattern(), "a SHA-256 of 64 lower-case hexadecimal digits, as sha256sum prints it");

    public static readonly TextForm Date = new(DatePattern(), "a date such as 2026-09-30");

    public static readonly TextForm Timestamp = new(TimestampPattern(), "a time with its zone such as 2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00");

    public static readonly TextForm Duration = new(DurationPattern(), "a duration such as 24h, 90m or 7d");

    public static readonly TextForm TimeZone = new(TimeZonePattern(), "an IANA time zone such as Europe/Zurich");

    [GeneratedRegex(@"^[a-z0-9][a-z0-9_-]{0,62}\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^[A-Z]{2,6}-[A-Z0-9]{2,12}-[0-9]{3}\z")]
    private static partial Regex ControlIdPattern();

    [GeneratedRegex(@"^(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?\z")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_-]{0,31}\z")]
    private static partial Regex PartIdPattern();

    [GeneratedRegex(@"^[a-z][a-z0-9_]{0,62}\z")]
    private static partial Regex ParameterPattern();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,62}\z")]
    private static partial Regex FrameworkPattern();

    [GeneratedRegex(@"^[A-Za-z0-9](?:[A-Za-z0-9 ._()/-]{0,38}[A-Za-z0-9)])?\z")]
    private static partial Regex ClausePattern();

    [GeneratedRegex(@"^(?:_key|[^_\s][^\t\n\r]{0,127})\z")]
    private static partial Regex FileColumnPattern();

    [GeneratedRegex(@"^(?=.{1,40}\z)[A-Za-z][A-Za-z0-9-]*(?: [A-Za-z0-9-]+)*(?<=[A-Za-z])\z")]
    private static partial Regex UnitPattern();

    [GeneratedRegex(@"^[0-9a-f]{64}\z")]
    private static partial Regex Sha256Pattern();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,7})?(?:Z|[+-][0-9]{2}:[0-9]{2})\z")]
    private static partial Regex TimestampPattern();

    [GeneratedRegex(@"^[1-9][0-9]{0,4}[mhd]\z")]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}\z")]
    private static partial Regex TimeZonePattern();
}
