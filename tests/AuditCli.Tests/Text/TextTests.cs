using AuditCli.Text;

namespace AuditCli.Tests.Text;

/// <summary>Tests how untrusted text is made safe: one strict function each for tables, tickets and terminals.</summary>
public sealed class TextTests
{
    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(1)")]
    [InlineData("  =1+1")]
    [InlineData("\t=1+1")]
    [InlineData("\ufeff=1+1")]
    [InlineData("\u200b\u00a0=1+1")]
    [InlineData("\uff1d1")]
    [InlineData(" \uff0b1")]
    [InlineData("\uff0d1")]
    [InlineData("\uff201")]
    [InlineData("\rtext")]
    public void No_cell_of_a_table_is_a_formula(string text) => Assert.StartsWith("'", Csv.Cell(text).TrimStart('"'), StringComparison.Ordinal);

    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData(" a", "\" a\"")]
    [InlineData("a=1", "a=1")]
    public void Other_cells_are_as_rfc_4180_has_them(string text, string cell) => Assert.Equal(cell, Csv.Cell(text));

    [Theory]
    [InlineData("<script>", "&lt;script&gt;")]
    [InlineData("a & b", "a &amp; b")]
    [InlineData("https://evil.example", "https\\://evil.example")]
    [InlineData("www.evil.example", "www\\.evil.example")]
    [InlineData("$x$", "\\$x\\$")]
    [InlineData("+ item", "\\+ item")]
    [InlineData("  - item", "  \\- item")]
    [InlineData("= =", "\\= =")]
    [InlineData("# heading", "\\# heading")]
    [InlineData("see #12 of @someone", "see \\#12 of \\@someone")]
    [InlineData("1. first", "1\\. first")]
    [InlineData("12) first", "12\\) first")]
    [InlineData("1.2.0", "1.2.0")]
    [InlineData("| a | b |", "\\| a \\| b \\|")]
    [InlineData("[x](y) ![i](y) `c` **b** ~s~", "\\[x\\](y) \\!\\[i\\](y) \\`c\\` \\*\\*b\\*\\* \\~s\\~")]
    [InlineData("snake_case _em_", "snake_case \\_em\\_")]
    [InlineData("line\nbreak", "line break")]
    public void No_name_is_markup(string text, string escaped) => Assert.Equal(escaped, Markdown.Escape(text, 200));

    [Theory]
    [InlineData("\u001b[31mred")]
    [InlineData("safe\u202egnp.exe")]
    [InlineData("no\u200bwidth\ufeff")]
    [InlineData("half \ud800")]
    [InlineData("none \ufffe")]
    public void Nothing_steers_a_terminal(string text) =>
        Assert.DoesNotContain(Terminal.Of(text), c => c is '\u001b' or '\u202e' or '\u200b' or '\ufeff' or '\ufffe' || char.IsSurrogate(c));
}
