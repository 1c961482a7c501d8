using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Checks which account, and which user, group or role of it, a response is about. A response about another one is not evidence for the
/// request: it would be stored, and concluded on, under the wrong name.
/// </summary>
/// <remarks>
/// An ARN is <c>arn:partition:service:region:account:resource</c>, see
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
/// </remarks>
internal static class AccountId
{
    private static readonly string[] Names = ["UserName", "GroupName", "RoleName", "PolicyName"];

    private const int Digits = 12;
    private const int ArnRegion = 3;
    private const int ArnAccount = 4;
    private const string ManagedByAws = "aws";

    /// <summary>Returns the account as the provider writes it: twelve digits.</summary>
    /// <exception cref="CollectionException">The text is not an account id, such as <c>../../etc</c>.</exception>
    public static string Of(string text, string operation) => Is(text)
        ? text
        : throw new CollectionException(Codes.MalformedResponse, $"{operation}: '{text}' is not an account; an account has twelve digits");

    /// <summary>Returns the account in an ARN; null if it names none or the text is not an ARN.</summary>
    public static string? OfArn(string arn) => arn.StartsWith("arn:", StringComparison.Ordinal) && Owner(arn) is { } owner && Is(owner) ? owner : null;

    /// <summary>Whether a text has the form of an account id.</summary>
    public static bool Is(string text) => text.Length == Digits && text.All(char.IsAsciiDigit);

    /// <summary>
    /// Returns the failure of a page that has a row of another account; null if there is none. IAM is checked, because it lists nothing but
    /// the caller's own resources and those that AWS manages for all accounts, and the operations of <see cref="OwnResources"/>; others
    /// legitimately list resources that other accounts share.
    /// </summary>
    /// <param name="region">The region of the request.</param>
    public static CollectionException? Foreign(
        ServiceModel service, OperationModel operation, ImmutableArray<PageRow> rows, string entered, string region)
    {
        if (OwnResources.ArnOf(service, operation) is var (member, isOfRegion))
        {
            foreach (var named in OwnResources.Arns(rows, member))
            {
                if (Owner(named) is not { } owner || owner != entered)
                    return new(AwsCodes.AnotherAccount, $"{service.Name}:{operation.Name} lists {named}, but account {entered} was requested");
                if (isOfRegion && named.Split(':')[ArnRegion] != region)
                    return new(Codes.MalformedResponse, $"{service.Name}:{operation.Name} lists {named}, but region {region} was requested");
            }
        }
        if (service.Name != "iam")
            return null;
        return rows.Select(r => Arn(r.Value)).FirstOrDefault(a => a is not null && IsForeign(a, entered)) is { } foreign
            ? new(AwsCodes.AnotherAccount, $"{service.Name}:{operation.Name} lists {foreign}, but account {entered} was requested")
            : null;
    }

    /// <summary>
    /// Returns the failure of a page that has a row about another entity than the request names, such as the devices of another user; null
    /// if there is none. IAM compares names without case (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
    /// </summary>
    public static CollectionException? Misnamed(
        ServiceModel service, OperationModel operation, ImmutableArray<PageRow> rows, IReadOnlyDictionary<string, JsonElement> asked)
    {
        if (service.Name != "iam")
            return null;
        foreach (var name in Names)
        {
            if (!asked.TryGetValue(name, out var value) || value.ValueKind != JsonValueKind.String)
                continue;
            var wanted = value.GetString()!;
            if (rows.SelectMany(r => Named(r.Value, name)).FirstOrDefault(n => !n.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is { } other)
                return new(AwsCodes.AnotherName, $"{service.Name}:{operation.Name} returned {name} {other}, but {wanted} was requested");
        }
        return null;
    }

    /// <summary>
    /// Returns the values of a member in the row itself and, if the row is a whole response, in the objects that it contains.
    /// </summary>
    private static IEnumerable<string> Named(JsonElement row, string name)
    {
        if (row.ValueKind != JsonValueKind.Object)
            return [];
        IEnumerable<JsonElement> places = [row, .. row.EnumerateObject().Select(m => m.Value).Where(v => v.ValueKind == JsonValueKind.Object)];
        return places.Select(p => JsonMember.Text(p, name)).OfType<string>();
    }

    private static bool IsForeign(string arn, string entered) => Owner(arn) is not { } owner || (owner != entered && owner != ManagedByAws);

    /// <summary>Returns the account part of an ARN; null if it does not have one.</summary>
    private static string? Owner(string arn) => arn.Split(':', ArnAccount + 2) is { Length: ArnAccount + 2 } parts ? parts[ArnAccount] : null;

    /// <summary>Returns the row's own ARN: <c>Arn</c>, or <c>arn</c> in the credential report.</summary>
    private static string? Arn(JsonElement row) => row.ValueKind == JsonValueKind.Object
        && (row.TryGetProperty("Arn", out var arn) || row.TryGetProperty("arn", out arn)) && arn.ValueKind == JsonValueKind.String
        ? arn.GetString()
        : null;
}
