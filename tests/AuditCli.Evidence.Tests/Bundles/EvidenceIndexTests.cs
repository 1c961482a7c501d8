using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Warc;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Bundles;

public sealed class EvidenceIndexTests
{
    private static readonly EvidenceItem Full = Samples.Item("prod", "aws-iam-listmfadevices-0123456789ab") with
    {
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("n", JsonElement.Parse("1.50"))
            .Add("o", JsonElement.Parse("""{ "a" : [true, null] }""")),
        Outcome = CollectionOutcome.Incomplete,
        Code = "AccessDenied",
        Message = "User \"x\"\nis not authorised – é",
        Calls = "data/tables/x.calls.ndjson.gz",
        CallsSha256 = Digest.Of("x"u8),
        Redactions = [new("/Users/0/Secret", "member", "hmac-sha256:00")],
        ReadFrom = Exchanges.Date.AddSeconds(-41),
        ReadUntil = Exchanges.Date.AddSeconds(-40),
        ClockOffsetSeconds = -41,
        AnswerAgeSeconds = 7200,
        StaleAnswers = 2,
        TakenAsNone = [new("NoSuchEntity", 4)],
        Read = 10,
        Kept = 0,
        Failures = [new("AccessDenied", "no", 3)],
    };

    [Theory]
    [InlineData("\"pages\":1", "\"pages\":1,\"pages\":1")]
    [InlineData("\"pages\":1", "\"pages\":1,\"surprise\":1")]
    [InlineData("\"pages\":1,", "")]
    [InlineData("\"pages\":1", "\"pages\":1.5")]
    [InlineData("\"pages\":1", "\"pages\":-1")]
    [InlineData("\"pages\":1", "\"pages\":\"1\"")]
    [InlineData("\"clock_offset_seconds\":-41", "\"clock_offset_seconds\":-41.5")]
    [InlineData("\"read_from\":\"2026", "\"read_from\":\"26")]
    [InlineData("\"incomplete\"", "\"Incomplete\"")]
    [InlineData("\"incomplete\"", "\"0\"")]
    [InlineData("\"status\":200", "\"status\":200,\"more\":1")]
    [InlineData("\"status\":200", "\"status\":99999999999")]
    [InlineData("\"request_id\":\"req-1\"", "\"request_id\":null")]
    [InlineData("\"type\":\"text\"", "\"type\":\"varchar\"")]
    [InlineData("\"started\":\"2026", "\"started\":\"26")]
    [InlineData("\"target\":\"prod\"", "\"target\":\"\\ud800\"")]
    [InlineData("{\"evidence_id\"", "[{\"evidence_id\"")]
    public void Anything_but_an_exact_item_is_refused(string original, string changed)
    {
        var line = Encoding.UTF8.GetString(EvidenceIndex.Format(Full));
        Assert.Contains(original, line, StringComparison.Ordinal);
        var position = line.IndexOf(original, StringComparison.Ordinal);
        var edited = line[..position] + changed + line[(position + original.Length)..];
        Assert.Throws<InvalidDataException>(() => EvidenceIndex.Parse(Encoding.UTF8.GetBytes(edited)));
    }

    [Fact]
    public void A_faulty_line_is_named_with_file_and_number()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write(BundleLayout.EvidenceIndex, Encoding.UTF8.GetString(EvidenceIndex.Format(Full)) + "\n{}\n");
        Assert.StartsWith($"{path}:2: ", Assert.Throws<InvalidDataException>(() => EvidenceIndex.Read(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, EvidenceIndex.Format(Full));
        Assert.Contains("line is incomplete", Assert.Throws<InvalidDataException>(() => EvidenceIndex.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_larger_than_any_buffer_is_read_line_by_line_and_what_repeats_is_held_once()
    {
        using var folder = new TemporaryFolder();
        var items = Enumerable.Range(0, 2000).Select(n => Full with { EvidenceId = $"aws-iam-listusers-{n:d12}", Message = new string('x', n) }).ToArray();
        folder.Write(BundleLayout.EvidenceIndex, string.Concat(items.Select(i => Encoding.UTF8.GetString(EvidenceIndex.Format(i)) + "\n")));
        var read = EvidenceIndex.Read(folder.Path);
        Assert.Equal(items.Select(EvidenceIndex.Format), read.Select(EvidenceIndex.Format));
        Assert.All(read, i => Assert.True(i.Columns == read[0].Columns && i.Names == read[0].Names && ReferenceEquals(i.Account, read[0].Account)));
    }

    [Fact]
    public void An_index_that_is_no_regular_file_is_not_opened()
    {
        using var folder = new TemporaryFolder();
        var elsewhere = folder.Write("elsewhere", Encoding.UTF8.GetString(EvidenceIndex.Format(Full)) + "\n");
        var path = Path.Combine(folder.Path, BundleLayout.EvidenceIndex);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, elsewhere);
        Assert.Contains("not a regular file", Assert.Throws<InvalidDataException>(() => EvidenceIndex.Read(folder.Path)).Message, StringComparison.Ordinal);
        File.Delete(path);
        PosixFiles.MakePipe(path);
        Assert.Throws<InvalidDataException>(() => EvidenceIndex.Read(folder.Path));
        File.Delete(path);
        Assert.Throws<FileNotFoundException>(() => EvidenceIndex.Read(folder.Path));
    }

    [Fact]
    public void A_full_item_has_every_member_under_its_name_and_comes_back()
    {
        var line = EvidenceIndex.Format(Full);
        Assert.Equal(
            """
            {"evidence_id":"aws-iam-listmfadevices-0123456789ab","names":[{"control":"APD-AWS-002","name":"users"}],"target":"prod","account":"111122223333","region":"aws-global","source":"aws","operation":"iam:ListUsers","parameters":{"n":1.50,"o":{"a":[true,null]}},"outcome":"incomplete","code":"AccessDenied","message":"User \"x\"\nis not authorised – é","pages":1,"items":1,"table":"data/tables/aws-iam-listmfadevices-0123456789ab.ndjson.gz","table_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","columns":[{"name":"_target","type":"text"},{"name":"Arn","type":"text"}],"calls":"data/tables/x.calls.ndjson.gz","calls_sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","exchanges":[{"file":"data/exchanges/prod/iam-aws-global.warc.gz","record_id":"urn:uuid:1","request_id":"req-1","status":200,"date":"2026-09-30T12:00:00.1234567Z"}],"identity":"arn:aws:sts::111122223333:assumed-role/audit","started":"2026-09-30T12:00:00.1234567Z","finished":"2026-09-30T12:00:01.1234567Z","read_from":"2026-09-30T11:59:19.1234567Z","read_until":"2026-09-30T11:59:20.1234567Z","clock_offset_seconds":-41,"answer_age_seconds":7200,"stale_answers":2,"redactions":[{"pointer":"/Users/0/Secret","rule":"member","digest":"hmac-sha256:00"}],"read":10,"kept":0,"failures":[{"code":"AccessDenied","message":"no","count":3}],"taken_as_none":[{"code":"NoSuchEntity","count":4}]}
            """, Encoding.UTF8.GetString(line));
        Assert.Equal(line, EvidenceIndex.Format(EvidenceIndex.Parse(line)));
    }

    [Fact]
    public void Absent_members_are_left_out_and_stay_absent()
    {
        var item = Samples.Item("", "file-x") with { Table = null, TableSha256 = null, Exchanges = [new("f", "r", null, 0, Exchanges.Date)] };
        var line = Encoding.UTF8.GetString(EvidenceIndex.Format(item));
        Assert.All(
            [
                "code", "message", "table", "table_sha256", "calls", "calls_sha256", "request_id", "read_from", "read_until",
                "clock_offset_seconds", "answer_age_seconds", "stale_answers", "taken_as_none", "read", "kept",
            ],
            name => Assert.DoesNotContain($"\"{name}\":", line, StringComparison.Ordinal));
        Assert.Equal(line, Encoding.UTF8.GetString(EvidenceIndex.Format(EvidenceIndex.Parse(Encoding.UTF8.GetBytes(line)))));
    }
}
