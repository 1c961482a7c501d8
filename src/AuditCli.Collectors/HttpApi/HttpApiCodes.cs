using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.HttpApi;

/// <summary>The codes that only the collector of HTTP APIs gives, as in <see cref="Codes"/>.</summary>
internal static class HttpApiCodes
{
    public const string AnotherTenant = "AnotherTenant";
    public const string InvalidAddress = "InvalidAddress";
    public const string TokenExpired = "TokenExpired";
    public const string UnknownProduct = "UnknownProduct";

    public static ImmutableArray<OwnCode> All =>
    [
        new(AnotherTenant, CodeKind.Input,
            "The credentials reach the data of another company than the target names.",
            "Correct the target's `tenant`, or use the credentials of that tenant."),
        new(InvalidAddress, CodeKind.Input,
            "The address of an HTTP API is missing, or is one to which credentials are not sent.",
            "Give the target `url: https://HOST`; plain http is accepted for the machine itself only."),
        new(TokenExpired, CodeKind.Denied,
            "A token has expired, or does not say when it will.",
            "Obtain another token, and check with `auditcli doctor`."),
        new(UnknownProduct, CodeKind.Input,
            "The host of an address does not say which product answers there, or an operation is one of another product.",
            "Give the target `product: NAME`; `auditcli help targets` lists the products."),
    ];
}
