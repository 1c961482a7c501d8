using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// A folder that holds a growing chain of signed bundles. Its file <c>head</c> names the newest in the format of
/// <c>sha256sum</c>, so that <c>sha256sum -c head</c> checks it. Only one program at a time adds a bundle.
/// </summary>
public sealed class Locker : IDisposable
{
    private const string HeadName = "head";
    private const string LockName = "head.lock";
    private const int HeadLimit = 4096;
    private readonly string _folder;
    private readonly FileStream _lock;

    private Locker(string folder, FileStream held) => (_folder, _lock) = (folder, held);

    /// <summary>
    /// Opens a locker for adding a bundle, and creates it when it does not exist. The lock file is never deleted: deleting it
    /// would let two programs hold the lock.
    /// </summary>
    /// <exception cref="IOException">Another program is adding a bundle, or the locker cannot be created.</exception>
    public static Locker Open(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, LockName);
        try
        {
            return new(folder, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e)
        {
            throw new IOException($"{folder}: another program is adding a bundle and holds {path}; try again when it has finished", e);
        }
    }

    /// <summary>Returns the newest bundle; null while the locker is empty.</summary>
    /// <exception cref="InvalidDataException">
    /// The head file does not match the newest bundle, or there are signed bundles without a head file.
    /// </exception>
    public ChainHead? Head()
    {
        if (ReadHead(_folder) is { } head)
        {
            var found = SealedAttestation.Head(Path.Combine(_folder, head.BundleId));
            if (found.Bundle.Statement != head.Statement)
                throw new InvalidDataException($"{_folder}: {head.BundleId} is not the bundle that the file {HeadName} names");
            return Bundles(_folder).FirstOrDefault(b => b.Id == found.Id && b.Sequence > found.Sequence) is { } newer
                ? throw new InvalidDataException(
                    $"{_folder}: {newer.Bundle.BundleId} is newer than the bundle that the file {HeadName} names; "
                    + "if a program was interrupted there, verify that bundle, then run "
                    + $"'sha256sum {newer.Bundle.BundleId}/{AttestationFiles.PathOf(AttestationFiles.StatementName)} > {HeadName}' in the locker")
                : found;
        }
        return Bundles(_folder).FirstOrDefault() is { } any
            ? throw new InvalidDataException(
                $"{_folder}: the file {HeadName} is missing, and there are signed bundles such as {any.Bundle.BundleId}")
            : null;
    }

    /// <summary>Makes a bundle of the locker its head, in one atomic step.</summary>
    public void Advance(string bundleId, Digest statement)
    {
        var next = Path.Combine(_folder, HeadName + ".next");
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(Encoding.ASCII.GetBytes($"{statement.Hex}  {bundleId}/{AttestationFiles.PathOf(AttestationFiles.StatementName)}\n"));
            file.Flush(flushToDisk: true);
        }
        File.Move(next, Path.Combine(_folder, HeadName), overwrite: true);
        SafeFile.Synchronise(_folder);
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>Returns what is wrong with the chains in a locker: code, bundle and message of each problem.</summary>
    /// <param name="member">The head of a bundle that must be in it; null skips this check.</param>
    /// <exception cref="IOException">There is no such folder, or a file in it cannot be read.</exception>
    internal static ImmutableArray<(string Code, string Bundle, string Message)> Check(string folder, Digest? member)
    {
        var problems = ImmutableArray.CreateBuilder<(string, string, string)>();
        try
        {
            var bundles = Bundles(folder).ToArray();
            if (member is { } statement && !bundles.Any(b => b.Bundle.Statement == statement))
                problems.Add((VerifyCode.ChainBroken, ".", $"this bundle is not in the locker {folder}"));
            foreach (var row in bundles.GroupBy(b => b.Id, StringComparer.Ordinal))
            {
                ChainHead? before = null;
                foreach (var bundle in row.OrderBy(b => b.Sequence).ThenBy(b => b.Bundle.BundleId, StringComparer.Ordinal))
                {
                    var number = string.Create(CultureInfo.InvariantCulture, $"number {bundle.Sequence} of the chain {bundle.Id}");
                    if (before?.Sequence == bundle.Sequence)
                        problems.Add((VerifyCode.ChainFork, bundle.Bundle.BundleId, $"is {number}, and so is {before.Bundle.BundleId}"));
                    else if (bundle.Sequence != (before?.Sequence ?? 0) + 1)
                        problems.Add((VerifyCode.ChainGap, bundle.Bundle.BundleId, $"is {number}, but the bundle before it is missing"));
                    else if (bundle.Before != before?.Bundle)
                        problems.Add((VerifyCode.ChainBroken, bundle.Bundle.BundleId, $"is {number}, but names a different bundle as the one before it"));
                    before = bundle;
                }
            }
            var heads = bundles.GroupBy(b => b.Id, StringComparer.Ordinal).Select(r => r.MaxBy(b => b.Sequence)!).ToArray();
            if (ReadHead(folder) is not { } head)
                problems.Add((VerifyCode.ChainHeadMismatch, ".", $"there is no file {HeadName}"));
            else if (!heads.Any(h => h.Bundle.BundleId == head.BundleId && h.Bundle.Statement == head.Statement))
                problems.Add((VerifyCode.ChainHeadMismatch, head.BundleId, $"is named by the file {HeadName}, but is not the newest of a chain"));
        }
        catch (InvalidDataException e)
        {
            problems.Add((VerifyCode.ChainBroken, ".", e.Message));
        }
        return problems.ToImmutable();
    }

    private static IEnumerable<ChainHead> Bundles(string folder) => Directory.EnumerateDirectories(folder)
        .Where(d => !d.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal) && Directory.Exists(Path.Combine(d, BundleLayout.Attestation)))
        .Order(StringComparer.Ordinal)
        .Select(SealedAttestation.Head);

    private static (string BundleId, Digest Statement)? ReadHead(string folder)
    {
        var path = Path.Combine(folder, HeadName);
        try
        {
            var content = SafeFile.Read(path, HeadLimit) ?? throw new InvalidDataException($"{path} is larger than {HeadLimit} bytes");
            var line = Encoding.ASCII.GetString(content);
            return line.TrimEnd('\n').Split("  ") is [var hex, var file] && Digest.TryParse(hex, out var statement)
                && file.EndsWith("/" + AttestationFiles.PathOf(AttestationFiles.StatementName), StringComparison.Ordinal)
                && BundlePaths.WhyNotPath(file) is null
                ? (file.Split('/')[0], statement)
                : throw new InvalidDataException($"{path} must be one line: a SHA-256 and the path of a bundle's statement");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}
