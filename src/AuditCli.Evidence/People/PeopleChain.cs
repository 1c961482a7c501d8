using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;

namespace AuditCli.Evidence.People;

/// <summary>
/// What people state about a sealed bundle, in the folder <c>&lt;bundle-id&gt;.people</c> beside it: one file per statement, named
/// <c>NNNN-kind.dsse.json</c>, each naming the digest of the one before. A chain cannot show that its newest statements were removed;
/// whoever depends on them keeps the head elsewhere.
/// </summary>
/// <param name="Entries">The statements whose files and signatures are right, in their order.</param>
/// <param name="Problems">What is wrong, in the order found.</param>
/// <param name="Head">SHA-256 of the newest file; null for a folder without statements.</param>
public sealed partial record PeopleChain(ImmutableArray<PeopleStatement> Entries, ImmutableArray<VerifyProblem> Problems, Digest? Head)
{
    public const string Suffix = ".people";
    private const string LockName = "lock";
    private const string Unfinished = ".new";
    private const int MostStatements = 9999;
    private const int MostBytes = 256 * 1024;

    /// <summary>The longest text of a statement, in characters.</summary>
    public const int LongestText = 64 * 1024;

    /// <summary>How much a statement may be in the future, for clocks that differ.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Returns the folder beside a bundle.</summary>
    /// <param name="bundle">The full path of the bundle, a folder or an archive.</param>
    /// <exception cref="InvalidDataException">The id in the bundle cannot name a folder: it may come from anybody.</exception>
    public static string FolderOf(string bundle, string bundleId) => !bundleId.Contains('/') && BundlePaths.WhyNotPath(bundleId) is null
        ? Path.Combine(Path.GetDirectoryName(bundle) ?? "", bundleId + Suffix)
        : throw new InvalidDataException($"the bundle id '{PrintableText.Of(bundleId, 200)}' cannot name a folder; give --people DIR");

    /// <summary>Reads the statements of a folder and checks each, and what they say together.</summary>
    /// <param name="tagManifest">The digest that identifies the bundle.</param>
    /// <param name="now">The time that no statement may be later than; null skips this check.</param>
    /// <exception cref="IOException">The folder or a file cannot be read.</exception>
    public static PeopleChain Read(string folder, string bundleId, Digest tagManifest, DateTimeOffset? now)
    {
        var check = new Check(bundleId, tagManifest, now);
        var names = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).OfType<string>()
            .Where(n => n != LockName).Order(StringComparer.Ordinal).Take(MostStatements + 1).ToArray();
        if (names.Length > MostStatements)
            check.Fail(VerifyCode.LimitExceeded, ".", $"there are more than {MostStatements} files");
        foreach (var name in names.Take(MostStatements))
            check.Add(name, Path.Combine(folder, name));
        return new([.. check.Entries], [.. check.Problems], check.Head);
    }

    /// <summary>Signs a statement and adds its file to the folder, which is created if there is none.</summary>
    /// <param name="make">Makes the statement from its number, and the digest of the file before.</param>
    /// <returns>The file that was written, the statement in it, and the chain's new head.</returns>
    /// <exception cref="InvalidDataException">The folder has statements that are not right, or the statement does not go with them.</exception>
    /// <exception cref="IOException">The folder cannot be written, or another program is adding a statement.</exception>
    public static (string File, PeopleStatement Statement, Digest Head) Append(
        string folder, string bundleId, Digest tagManifest, SigningKey key, DateTimeOffset now, Func<long, Digest?, PeopleStatement> make)
    {
        Directory.CreateDirectory(folder);
        using var held = Held(folder);
        foreach (var left in Directory.EnumerateFiles(folder, "*" + Unfinished))
            File.Delete(left);
        var chain = Read(folder, bundleId, tagManifest, now);
        if (chain.Problems is [var first, ..])
            throw new InvalidDataException($"{folder}: {first.Code} {first.Path}: {first.Message}; nothing is added to a chain that is not right");
        var statement = make(chain.Entries.Length + 1, chain.Head);
        if ((statement.WhyNotWhole() ?? WhyNotNext(chain.Entries, statement)) is { } wrong)
            throw new InvalidDataException(wrong);
        var content = PeopleEnvelope.Sign(statement, key);
        if (content.Length > MostBytes)
            throw new InvalidDataException($"the statement would have {content.Length} bytes, the limit is {MostBytes}: shorten its text");
        var path = Path.Combine(folder, statement.FileName);
        using (var file = new FileStream(path + Unfinished, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(path + Unfinished, path);
        SafeFile.Synchronise(folder);
        return (path, statement, Digest.Of(content));
    }

    private static FileStream Held(string folder)
    {
        try
        {
            return new(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"{folder}: another program is adding a statement; try again when it has finished", e);
        }
    }

    /// <summary>Returns why a statement does not go with those before it; null if it does.</summary>
    private static string? WhyNotNext(ImmutableArray<PeopleStatement> before, PeopleStatement next)
    {
        if (before.LastOrDefault() is { } last && next.At < last.At)
            return $"it is of {Rfc3339.Format(next.At)}, before number {last.Sequence} of {Rfc3339.Format(last.At)}";
        if (next.ReplyTo is { } number && !before.Any(b => b.Sequence == number && b.Note is not null))
            return $"it replies to number {number}, which has no remark";
        if (next.Role is { } role && before.FirstOrDefault(b => b.Role is { } other && other != role
            && (b.Fingerprint == next.Fingerprint || PersonName.MayBe(b.By, next.By))) is { } both)
        {
            var what = both.Fingerprint == next.Fingerprint ? $"the key {next.Fingerprint.Hex[..16]}" : $"'{next.By}'";
            return $"{what} signed off as {both.Role} in number {both.Sequence}; the {role} must be somebody else";
        }
        if (before.FirstOrDefault(b => b.Kind == PeopleKind.Assembled) is not { } assembled)
            return null;
        return next.Kind == PeopleKind.Assembled ? $"the file was assembled in number {assembled.Sequence}"
            : DateOnly.FromDateTime(next.At.UtcDateTime) > assembled.DueBy && string.IsNullOrWhiteSpace(next.Why)
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"the file was complete on {assembled.DueBy:yyyy-MM-dd} (number {assembled.Sequence}); what is added later must say why")
            : null;
    }

    [GeneratedRegex("^([0-9]{4})-([a-z]+)\\.dsse\\.json$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName { get; }

    /// <summary>The state of one reading.</summary>
    private sealed class Check(string bundleId, Digest tagManifest, DateTimeOffset? now)
    {
        private long _expected = 1;

        public List<PeopleStatement> Entries { get; } = [];
        public List<VerifyProblem> Problems { get; } = [];
        public Digest? Head { get; private set; }

        public void Fail(string code, string file, string message) =>
            Problems.Add(new(VerifyQuestion.People, code, PrintableText.Of(file), PrintableText.Of(message), VerifyAnswer.Fails));

        public void Add(string name, string path)
        {
            if (FileName.Match(name) is not { Success: true } match || !PeopleKind.All.Contains(match.Groups[2].Value))
            {
                Fail(VerifyCode.UnexpectedFile, name, "it is not a person's statement; an unfinished one (.new) is removed when the next is added");
                return;
            }
            var (number, kind) = (long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[2].Value);
            if (number != _expected)
                Fail(VerifyCode.ChainGap, name, $"is number {number}, where number {_expected} must follow");
            _expected = number + 1;
            byte[]? content;
            try
            {
                content = SafeFile.Read(path, MostBytes);
            }
            catch (NotSupportedException e)
            {
                Fail(VerifyCode.SpecialFile, name, e.Message);
                return;
            }
            if (content is null)
            {
                Fail(VerifyCode.LimitExceeded, name, $"is larger than {MostBytes} bytes");
                return;
            }
            var before = Head;
            Head = Digest.Of(content);
            try
            {
                Accept(name, number, kind, before, PeopleEnvelope.Open(content));
            }
            catch (CryptographicException e)
            {
                Fail(VerifyCode.SignatureInvalid, name, e.Message);
            }
            catch (NotSupportedException e)
            {
                Fail(VerifyCode.TypeUnsupported, name, e.Message);
            }
            catch (InvalidDataException e)
            {
                Fail(VerifyCode.JsonMalformed, name, e.Message);
            }
        }

        private void Accept(string name, long number, string kind, Digest? before, PeopleStatement statement)
        {
            if (statement.TagManifest != tagManifest || statement.BundleId != bundleId)
                Fail(VerifyCode.StatementInconsistent, name, $"is about another bundle: {statement.BundleId}, tagmanifest sha256 {statement.TagManifest}");
            else if (statement.Sequence != number || statement.Kind != kind)
                Fail(VerifyCode.ChainBroken, name, $"holds number {statement.Sequence}, {statement.Kind}");
            else if (statement.Previous != before)
                Fail(VerifyCode.ChainBroken, name, "names a different statement as the one before it");
            else if (now is { } clock && statement.At > clock + Tolerance)
                Fail(VerifyCode.StatementInconsistent, name, $"is of {Rfc3339.Format(statement.At)}, which is in the future");
            else
            {
                if (WhyNotNext([.. Entries], statement) is { } wrong)
                    Fail(VerifyCode.PeopleInconsistent, name, wrong);
                Entries.Add(statement);
            }
        }
    }
}
