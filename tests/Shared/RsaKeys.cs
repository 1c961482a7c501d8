using System.Collections.Immutable;
using System.Security.Cryptography;

namespace AuditCli.Tests;

/// <summary>RSA keys that a process makes once, because finding the primes of one takes longer than most tests.</summary>
public static class RsaKeys
{
    private static readonly ImmutableArray<Lazy<byte[]>> Made = [.. Enumerable.Range(0, 4).Select(_ => new Lazy<byte[]>(Make))];

    /// <summary>Returns the key of that number, for the caller to dispose. Keys of different numbers are strangers to each other.</summary>
    public static RSA Numbered(int number)
    {
        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(Made[number].Value, out _);
        return key;
    }

    private static byte[] Make()
    {
        using var key = RSA.Create(2048);
        return key.ExportPkcs8PrivateKey();
    }
}
