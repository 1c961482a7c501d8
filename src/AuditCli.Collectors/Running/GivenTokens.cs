using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Stops reading a list whose page tokens repeat, because it would never end, or cannot be sent back, because they were replaced.
/// </summary>
/// <param name="what">The request, as named in the message.</param>
internal sealed class GivenTokens(string what)
{
    /// <summary>Halves of SHA-256 digests of the tokens: tokens are long, and there may be many pages.</summary>
    private readonly HashSet<UInt128> _given = [];

    public int Count => _given.Count;

    /// <summary>Takes note of the token of the next page.</summary>
    /// <exception cref="CollectionException">
    /// The token was given before, or was replaced, because it has the form of a credential: what is left of it would lead to another page.
    /// </exception>
    public void Add(string token)
    {
        if (BodyRedaction.IsReplaced(token))
        {
            throw new CollectionException(
                Codes.NextPageUnreadable, $"{what}: the page token has the form of a credential and was not kept, so the next page cannot be read");
        }
        if (!_given.Add(BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(token)))))
            throw new CollectionException(Codes.RepeatedToken, $"{what}: the response repeats an earlier page token, so reading on would never end");
    }
}
