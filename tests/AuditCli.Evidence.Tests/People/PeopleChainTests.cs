using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.People;
using AuditCli.Evidence.Text;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.People;

/// <summary>Tests the chain of people's statements beside a bundle: every edit of it is found, and what contradicts another is not added.</summary>
public sealed class PeopleChainTests : IDisposable
{
    private const string Bundle = "acme-20261120t100000z-0a1b2c3d";
    private static readonly Digest Sealed = Digest.Of("tag manifest"u8);
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();
    private readonly SigningKey _lena = SigningKey.Create();
    private readonly SigningKey _omar = SigningKey.Create();

    private string Folder => PeopleChain.FolderOf(Path.Combine(_folder.Path, Bundle), Bundle);

    private static readonly Dictionary<string, (Action<PeopleChainTests> Edit, string Code)> Edits = new(StringComparer.Ordinal)
    {
        ["the first file cut out"] = (t => File.Delete(t.Files()[0]), "CHAIN_GAP"),
        ["a file in the middle cut out"] = (t => File.Delete(t.Files()[1]), "CHAIN_GAP"),
        ["a file cut out and the next renumbered"] = (
            t =>
            {
                File.Delete(t.Files()[1]);
                File.Move(t.Files()[1], t.Files()[1].Replace("0003", "0002", StringComparison.Ordinal));
            },
            "CHAIN_BROKEN"),
        ["two files exchanged"] = (
            t =>
            {
                var (one, two) = (t.Files()[1], t.Files()[2]);
                var held = File.ReadAllBytes(one);
                File.WriteAllBytes(one, File.ReadAllBytes(two));
                File.WriteAllBytes(two, held);
            },
            "CHAIN_BROKEN"),
        ["a name changed inside"] = (t => t.Rewrite(0, "\"by\":\"Lena Berg\"", "\"by\":\"Lena Borg\""), "SIG_INVALID"),
        ["a role changed inside"] = (t => t.Rewrite(0, "\"role\":\"preparer\"", "\"role\":\"reviewer\""), "SIG_INVALID"),
        ["a signature by somebody else"] = (t => t.Resign(0, t._omar, s => s), "JSON_MALFORMED"),
        ["a statement signed anew by its own author"] = (t => t.Resign(0, t._lena, s => s with { Note = "another" }), "CHAIN_BROKEN"),
        ["a statement about another bundle"] = (
            t => t.Resign(2, t._omar, s => s with { TagManifest = Digest.Of("other"u8) }), "STATEMENT_INCONSISTENT"),
        ["a statement in the future"] = (t => t.Resign(2, t._omar, s => s with { At = Noon.AddYears(1) }), "STATEMENT_INCONSISTENT"),
        ["a statement before the one before it"] = (t => t.Resign(2, t._omar, s => s with { At = Noon.AddYears(-1) }), "PEOPLE_INCONSISTENT"),
        ["a file of another kind of name"] = (
            t => File.Move(t.Files()[2], t.Files()[2].Replace("signoff", "hold", StringComparison.Ordinal)), "CHAIN_BROKEN"),
        ["a file that is no statement"] = (t => File.WriteAllText(Path.Combine(t.Folder, "notes.txt"), "x"), "UNEXPECTED_FILE"),
        ["white space in an envelope"] = (t => File.AppendAllText(t.Files()[2], "\n"), "JSON_MALFORMED"),
        ["a link in place of a file"] = (
            t =>
            {
                var file = t.Files()[2];
                File.Move(file, Path.Combine(t._folder.Path, "elsewhere"));
                File.CreateSymbolicLink(file, Path.Combine(t._folder.Path, "elsewhere"));
            },
            "SPECIAL_FILE"),
        ["a huge file"] = (t => File.WriteAllBytes(t.Files()[2], new byte[300 * 1024]), "LIMIT_EXCEEDED"),
    };

    public static TheoryData<string> Names => [.. Edits.Keys];

    public void Dispose()
    {
        _lena.Dispose();
        _omar.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_edit_of_the_chain_is_found(string edit)
    {
        Three();
        Edits[edit].Edit(this);
        Assert.Contains(Read().Problems, p => p.Code == Edits[edit].Code);
    }

    [Fact]
    public void A_dropped_tail_shows_in_the_head_only()
    {
        Three();
        var head = Read().Head;
        File.Delete(Files()[2]);
        var cut = Read();
        Assert.Empty(cut.Problems);
        Assert.NotEqual(head, cut.Head);
    }

    [Fact]
    public void Nothing_is_added_to_a_chain_that_is_not_right()
    {
        Three();
        File.Delete(Files()[1]);
        var refused = Assert.Throws<InvalidDataException>(() => Add(_lena, "Lena Berg", PeopleKind.Annotated, s => s with { Note = "late" }));
        Assert.Contains("CHAIN_GAP", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public void One_key_is_never_preparer_and_reviewer_under_another_name()
    {
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        var refused = Assert.Throws<InvalidDataException>(() => SignOff(_lena, "Omar Haddad", PeopleKind.Reviewer));
        Assert.Contains("signed off as preparer in number 1; the reviewer must be somebody else", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Lena Berg")]
    [InlineData("Berg, Lena")]
    [InlineData("LENA  BERG")]
    public void One_person_is_never_preparer_and_reviewer_with_another_key(string name)
    {
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        Assert.Throws<InvalidDataException>(() => SignOff(_omar, name, PeopleKind.Reviewer));
    }

    [Fact]
    public void A_reply_is_to_a_remark_that_exists()
    {
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        Assert.Throws<InvalidDataException>(() => Add(_omar, "Omar Haddad", PeopleKind.Annotated, s => s with { Note = "why?", ReplyTo = 1 }));
        Add(_omar, "Omar Haddad", PeopleKind.Annotated, s => s with { Note = "why?" });
        Add(_lena, "Lena Berg", PeopleKind.Annotated, s => s with { Note = "because", ReplyTo = 2 });
        Assert.Equal([null, null, 2], Read().Entries.Select(e => e.ReplyTo));
    }

    [Fact]
    public void What_is_added_after_the_file_was_complete_says_why()
    {
        Add(_omar, "Omar Haddad", PeopleKind.Assembled, s => s with { DueBy = new(2026, 11, 21) });
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        var later = Noon.AddDays(2);
        var refused = Assert.Throws<InvalidDataException>(
            () => Add(_omar, "Omar Haddad", PeopleKind.Signoff, s => s with { Role = PeopleKind.Reviewer, At = later }));
        Assert.Contains("what is added later must say why", refused.Message, StringComparison.Ordinal);
        Add(_omar, "Omar Haddad", PeopleKind.Signoff, s => s with { Role = PeopleKind.Reviewer, At = later, Why = "the reviewer was ill" });
        Assert.Empty(Read().Problems);
        Assert.Throws<InvalidDataException>(() => Add(_omar, "Omar Haddad", PeopleKind.Assembled, s => s with
        {
            DueBy = new(2027, 1, 1),
            At = later,
            Why = "more",
        }));
    }

    [Theory]
    [InlineData(PeopleKind.Annotated)]
    [InlineData(PeopleKind.Hold)]
    [InlineData(PeopleKind.Exported)]
    [InlineData(PeopleKind.Superseded)]
    [InlineData(PeopleKind.Signoff)]
    [InlineData(PeopleKind.Assembled)]
    public void A_statement_without_what_its_kind_needs_is_not_made(string kind) =>
        Assert.Throws<InvalidDataException>(() => Add(_lena, "Lena Berg", kind, s => s));

    [Fact]
    public void What_a_killed_program_left_is_found_and_removed_with_the_next_statement()
    {
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        File.WriteAllText(Path.Combine(Folder, "0002-signoff.dsse.json.new"), "{");
        Assert.Equal("UNEXPECTED_FILE", Assert.Single(Read().Problems).Code);
        SignOff(_omar, "Omar Haddad", PeopleKind.Reviewer);
        Assert.Empty(Read().Problems);
    }

    [Theory]
    [InlineData("../acme")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    public void A_bundle_id_never_leads_to_another_folder(string id) =>
        Assert.Throws<InvalidDataException>(() => PeopleChain.FolderOf("/evidence/acme", id));

    [Fact]
    public void Any_changed_byte_of_any_file_is_found()
    {
        Three();
        foreach (var file in Files())
        {
            var content = File.ReadAllBytes(file);
            for (var at = 0; at < content.Length; at += 7)
            {
                content[at] ^= 1;
                File.WriteAllBytes(file, content);
                Assert.True(Read().Problems.Length > 0, $"{Path.GetFileName(file)}, byte {at}");
                content[at] ^= 1;
            }
            File.WriteAllBytes(file, content);
        }
        Assert.Empty(Read().Problems);
    }

    private void Three()
    {
        SignOff(_lena, "Lena Berg", PeopleKind.Preparer);
        Add(_omar, "Omar Haddad", PeopleKind.Annotated, s => s with { Note = "Which tickets?", About = "APD-AWS-001" });
        SignOff(_omar, "Omar Haddad", PeopleKind.Reviewer);
        Assert.Empty(Read().Problems);
    }

    private void SignOff(SigningKey key, string name, string role) => Add(key, name, PeopleKind.Signoff, s => s with { Role = role });

    private void Add(SigningKey key, string name, string kind, Func<PeopleStatement, PeopleStatement> complete) => PeopleChain.Append(
        Folder, Bundle, Sealed, key, Noon.AddDays(3), (number, before) => complete(new()
        {
            Kind = kind,
            Sequence = number,
            Previous = before,
            BundleId = Bundle,
            TagManifest = Sealed,
            At = Noon,
            By = name,
            Key = key.PublicKey,
        }));

    private PeopleChain Read() => PeopleChain.Read(Folder, Bundle, Sealed, Noon.AddDays(3));

    private string[] Files() => [.. Directory.GetFiles(Folder, "*.json").Order(StringComparer.Ordinal)];

    private void Rewrite(int index, string before, string after)
    {
        var envelope = JsonNode.Parse(File.ReadAllText(Files()[index]))!;
        var payload = Encoding.UTF8.GetString(Convert.FromBase64String(envelope["payload"]!.GetValue<string>()));
        Assert.Contains(before, payload, StringComparison.Ordinal);
        envelope["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(payload.Replace(before, after, StringComparison.Ordinal)));
        File.WriteAllBytes(Files()[index], CanonicalJson.Encode(envelope));
    }

    private void Resign(int index, SigningKey key, Func<PeopleStatement, PeopleStatement> edit)
    {
        var envelope = JsonNode.Parse(File.ReadAllText(Files()[index]))!;
        var payload = edit(PeopleStatement.Read(Convert.FromBase64String(envelope["payload"]!.GetValue<string>()))).Write();
        envelope["payload"] = Convert.ToBase64String(payload);
        envelope["signatures"]![0]!["keyid"] = key.Fingerprint.Hex;
        envelope["signatures"]![0]!["sig"] = Convert.ToBase64String(key.Sign(Dsse.PreAuthentication(payload)));
        File.WriteAllBytes(Files()[index], CanonicalJson.Encode(envelope));
    }
}
