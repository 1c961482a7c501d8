using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that a copy of a file has digests in the place of personal values, and nothing else in the place of anything.</summary>
public sealed class PersonalCopyTests : IDisposable
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Digest(string value) => "hmac-sha256:" + Convert.ToHexStringLower(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(value)));

    private SuppliedInput Supplied(string file, string content) =>
        new("people", _folder.Write(file, content), null, $"inputs/{file}") { RedactionKey = Key };

    private static string Copy(SuppliedInput input, params string[] columns)
    {
        using var target = new MemoryStream();
        PersonalCopy.Write(input, target, [.. columns], Key);
        return Encoding.UTF8.GetString(target.ToArray());
    }

    private static PlannedInput Planned(params string[] personal) =>
        new("k", "people", [new("id", ColumnType.Text), new("email", ColumnType.Text)], []) { Personal = [.. personal] };

    [Theory]
    [InlineData("people.json", "[{\"id\":\"1\",\"email\":\"a\"}]")]
    [InlineData("people.xlsx", "PK")]
    [InlineData("people.parquet", "PAR1")]
    public void A_format_in_which_values_cannot_be_replaced_is_refused_before_the_run_and_never_copied(string file, string content)
    {
        var input = Supplied(file, content);
        Assert.Contains(
            $"inputs/{file}: personal columns need a .csv or .ndjson file, in which a value can be replaced and the rest stays as it is; supply it as one",
            InputCheck.Of([Planned("email")], [input], allowSecrets: true, CancellationToken.None).Faults);
        using var target = new MemoryStream();
        Assert.Throws<InvalidDataException>(() => PersonalCopy.Write(input, target, ["email"], Key));
        Assert.Equal(0, target.Length);
    }

    [Theory]
    [InlineData("people.csv", "id,email\n1,first@example.org,\"zoe@example.org\"\n")]
    [InlineData("people.csv", "id,email\n\"1,zoe@example.org\n")]
    [InlineData("people.ndjson", "{\"id\":\"1\",\"email\":\"zoe@example.org\"\n")]
    [InlineData("people.ndjson", "[\"zoe@example.org\"]\n")]
    [InlineData("people.ndjson", "{\"id\":\"1\",\"email\":\"zoe@example.org\",\"email\":\"zoe@example.org\"}\n")]
    public void A_file_that_is_not_what_it_should_be_leaves_no_value_in_the_copy(string file, string content)
    {
        using var target = new MemoryStream();
        Assert.Throws<InvalidDataException>(() => PersonalCopy.Write(Supplied(file, content), target, ["email"], Key));
        Assert.DoesNotContain("zoe", Encoding.UTF8.GetString(target.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_can_be_guessed_is_refused() => Assert.Throws<ArgumentException>(() =>
        PersonalCopy.Write(Supplied("people.csv", "id,email\n"), new MemoryStream(), ["email"], Key.AsSpan(0, 31)));

    [Fact]
    public void A_CSV_file_keeps_every_other_cell_and_its_records()
    {
        var copy = Copy(
            Supplied("people.csv", "\uFEFFid,email,note\r\n1, zoe@example.org\u200b,\"a \"\"b\"\", c\nd\"\r\n2,,\r\n3,zoe@example.org,x\r\n"), "email");
        Assert.Equal($"id,email,note\n1,{Digest("zoe@example.org")},\"a \"\"b\"\", c\nd\"\n2,,\n3,{Digest("zoe@example.org")},x\n", copy);
    }

    [Fact]
    public void An_NDJSON_file_keeps_every_other_value_as_it_is_written()
    {
        var copy = Copy(
            Supplied(
                "people.ndjson",
                "{\"id\":1.50,\"email\":\"zo\\u0065\",\"more\":{\"email\":\"stays\"}}\n\n{\"email\":null}\n{\"email\":7}\n{\"email\":[\"zoe\"]}\n"),
            "email");
        Assert.Equal(
            $"{{\"id\":1.50,\"email\":\"{Digest("zoe")}\",\"more\":{{\"email\":\"stays\"}}}}\n\n{{\"email\":null}}\n{{\"email\":\"{Digest("7")}\"}}\n"
                + $"{{\"email\":\"{Digest("[\"zoe\"]")}\"}}\n",
            copy);
    }

    [Theory]
    [InlineData("people.csv", "id,email,note\n1,zoe@example.org,\"x, y\"\n,,\n")]
    [InlineData("people.ndjson", "{\"email\":\"zoe@example.org\",\"id\":\"1\"}\n")]
    public void A_copy_of_a_copy_is_equal_to_it_so_that_a_bundle_can_be_done_again(string file, string content)
    {
        var once = Copy(Supplied(file, content), "email");
        using var target = new MemoryStream();
        PersonalCopy.Write(Supplied("again-" + file, once), target, ["email"], RandomNumberGenerator.GetBytes(32));
        Assert.Equal(once, Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public void Values_that_differ_anywhere_have_different_digests()
    {
        string[] values = ["zoe", "Zoe", "zoe\u0001", "zöe", "zo e"];
        var copy = Copy(Supplied("people.csv", "email\n" + string.Concat(values.Select(v => v + "\n"))), "email");
        Assert.Equal(values.Length + 1, copy.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
    }

    [Fact]
    public void A_column_that_one_control_calls_personal_is_so_for_all_that_read_the_file()
    {
        ImmutableArray<PlannedInput> planned = [Planned(), Planned("email"), Planned("id") with { Input = "others" }];
        Assert.Equal(["email"], PersonalCopy.ColumnsOf("people", planned));
    }
}
