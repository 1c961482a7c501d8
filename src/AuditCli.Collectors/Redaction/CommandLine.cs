using System.Collections.Frozen;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Finds the secrets of a command whose arguments are elements of a list, as in <c>["mysql", "-u", "root", "-px"]</c>: by the same forms as
/// in a line of text.
/// </summary>
internal static class CommandLine
{
    private const int MostArguments = 64;
    private const int LongestCommand = 64;

    /// <summary>Programs that take a secret as an argument, and those that have the name of a source.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Commands = new[]
    {
        "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin", "sshpass", "redis-cli", "redis-server", "curl",
        "docker", "podman", "az", "openssl", "unzip", "zip", "7z", "sqlcmd", "bcp", "htpasswd", "sqlplus", "impdp", "expdp", "sqlldr", "keytool", "sudo",
    }.Concat(CollectorCatalog.All.Select(c => c.Source.Name)).ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Returns the secret parts of the arguments by index; null if there are none.</summary>
    /// <param name="reader">A copy of the reader at the beginning of the list.</param>
    public static Dictionary<long, TextPart>? Secrets(Utf8JsonReader reader)
    {
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length is 0 or > LongestCommand)
                return null;
            Span<char> name = stackalloc char[LongestCommand];
            name = name[..Encoding.UTF8.GetChars(reader.ValueSpan, name)];
            name = name[(name.LastIndexOf('/') + 1)..];
            return Commands.Contains(name) ? In(name.ToString(), reader) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The document is broken, or a text has a lone surrogate: the elements are searched one by one.
            return null;
        }
    }

    private static Dictionary<long, TextPart>? In(string command, Utf8JsonReader reader)
    {
        var line = new StringBuilder(command);
        var places = new List<(int Start, int Length)> { (0, command.Length) };
        while (places.Count < MostArguments && reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            var argument = reader.GetString()!;
            places.Add((line.Length + 1, argument.Length));
            line.Append(' ').Append(argument);
        }
        Dictionary<long, TextPart>? found = null;
        CredentialForms.Each(line.ToString(), secret =>
        {
            for (var i = 0; i < places.Count; i++)
            {
                var (start, length) = places[i];
                if (secret.Start >= start && secret.End <= start + length)
                    (found ??= []).TryAdd(i, new(secret.Start - start, secret.Length));
            }
        });
        return found;
    }
}
