using System.IO.Compression;
using System.Text;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>Tests bodies with a content coding: several gzip members, truncation, and the limit of size.</summary>
public sealed class ContentDecodingTests
{
    private const string First = "{\"a\":1,", Second = "\"b\":2}";

    public static TheoryData<string, byte[], string> Whole => new()
    {
        { "one member", Member(First + Second), First + Second },
        { "two members", [.. Member(First), .. Member(Second)], First + Second },
        { "an empty member between", [.. Member(First), .. Member(""), .. Member(Second)], First + Second },
        { "an empty member at the end", [.. Member(First), .. Member(Second), .. Member("")], First + Second },
        { "a member larger than a chunk", [.. Member(Noise(50_000)), .. Member(Second)], Noise(50_000) + Second },
        { "a name in the header", [.. Named(Member(First), 8, "a.json\0"), .. Member(Second)], First + Second },
        { "name and comment", [.. Named(Member(First), 24, "a.json\0why\0"), .. Member(Second)], First + Second },
        { "an extra field and a checksum", [.. Named(Member(First), 6, "\u0003\0xyz__"), .. Member(Second)], First + Second },
        { "a thousand members", [.. Enumerable.Range(0, 1000).SelectMany(_ => Member("x"))], new string('x', 1000) },
    };

    [Theory]
    [MemberData(nameof(Whole))]
    public async Task Every_member_of_a_compressed_body_is_read(string form, byte[] body, string content)
    {
        var decoded = await DecodedAsync(body);
        Assert.True(Encoding.UTF8.GetString(decoded.Span) == content, form);
    }

    /// <summary>Cuts a body of two members at every byte. After the first member it is a whole file, as RFC 1952 has it.</summary>
    [Fact]
    public async Task A_body_that_is_cut_off_anywhere_is_truncated()
    {
        byte[] first = Member(First), whole = [.. first, .. Member(Second)];
        for (var length = 1; length < whole.Length; length++)
        {
            if (length == first.Length)
                continue;
            var e = await Assert.ThrowsAsync<IOException>(() => DecodedAsync(whole[..length]));
            Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Bodies of the other codings; the first and the last are what servers call <c>deflate</c>.</summary>
    public static TheoryData<string, string, byte[], bool> Others => new()
    {
        { "zlib", "deflate", Coded(Noise(9_000), s => new ZLibStream(s, CompressionLevel.Optimal)), true },
        { "zlib without compression", "deflate", Coded(First + Second, s => new ZLibStream(s, CompressionLevel.NoCompression)), true },
        { "brotli", "br", Coded(First + Second, s => new BrotliStream(s, CompressionLevel.Optimal)), true },
        { "bare deflate without compression", "deflate", Coded(First + Second, s => new DeflateStream(s, CompressionLevel.NoCompression)), false },
        { "bare deflate", "deflate", Coded(string.Concat(Enumerable.Repeat(First, 50)), s => new DeflateStream(s, CompressionLevel.Optimal)), false },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task A_body_of_another_coding_is_read_whole_or_not_at_all(string form, string coding, byte[] body, bool isChecked)
    {
        var whole = await DecodedAsync(body, coding: coding);
        Assert.True(whole.Length > 0, form);
        for (var length = 1; length < body.Length; length += body.Length < 1000 || length > body.Length - 20 ? 1 : 97)
        {
            var e = await Assert.ThrowsAsync<IOException>(() => DecodedAsync(body[..length], coding: coding));
            Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        }
        if (!isChecked)
            return;
        await Assert.ThrowsAsync<IOException>(() => DecodedAsync([.. body, .. "more"u8], coding: coding));
        var changed = body.ToArray();
        changed[^1] ^= 1;
        await Assert.ThrowsAsync<IOException>(() => DecodedAsync(changed, coding: coding));
        Assert.Equal(
            Codes.ResponseTooLarge,
            (await Assert.ThrowsAsync<ExchangeRefusedException>(() => DecodedAsync(body, whole.Length - 1, coding))).Code);
    }

    [Fact]
    public async Task What_follows_the_last_member_is_not_ignored() =>
        await Assert.ThrowsAsync<IOException>(() => DecodedAsync([.. Member(First), .. "more"u8]));

    [Fact]
    public async Task A_member_that_does_not_match_its_checksum_is_damaged()
    {
        byte[] body = [.. Member(First), .. Member(Second)];
        body[Member(First).Length - 8] ^= 1;
        Assert.Contains("damaged", (await Assert.ThrowsAsync<IOException>(() => DecodedAsync(body))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_members_are_together_under_the_limit_of_size()
    {
        byte[] body = [.. Enumerable.Repeat(Member(new string('x', 1000)), 20).SelectMany(m => m)];
        Assert.Equal(20_000, (await DecodedAsync(body, 20_000)).Length);
        Assert.Equal(Codes.ResponseTooLarge, (await Assert.ThrowsAsync<ExchangeRefusedException>(() => DecodedAsync(body, 19_999))).Code);
    }

    private static async Task<ReadOnlyMemory<byte>> DecodedAsync(byte[] body, int maxBytes = 1 << 20, string coding = "gzip")
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentEncoding = { coding } } };
        return await ContentDecoding.ReadAsync(content, maxBytes, CancellationToken.None);
    }

    private static byte[] Coded(string content, Func<Stream, Stream> coding)
    {
        using var body = new MemoryStream();
        using (var coder = coding(body))
            coder.Write(Encoding.UTF8.GetBytes(content));
        return body.ToArray();
    }

    private static byte[] Member(string content)
    {
        using var file = new MemoryStream();
        using (var gzip = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(content));
        // .NET writes nothing for empty content; this is what other tools write.
        return content.Length == 0 ? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0] : file.ToArray();
    }

    /// <summary>Returns a member with optional fields in its header.</summary>
    private static byte[] Named(byte[] member, byte flags, string fields) =>
        [.. member[..3], flags, .. member[4..10], .. Encoding.Latin1.GetBytes(fields), .. member[10..]];

    private static string Noise(int length)
    {
        var random = new Random(7);
        return string.Create(length, random, (text, r) =>
        {
            foreach (ref var c in text)
                c = (char)r.Next(' ', '~');
        });
    }
}
