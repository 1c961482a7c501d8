using System.Net;
using System.Net.Sockets;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Reads the address of an API that a target names.</summary>
internal static class HttpApiAddress
{
    /// <summary>Returns why credentials are not sent to the address; null if they may be.</summary>
    /// <remarks>The text of the address is not repeated, since it may hold a password or a token.</remarks>
    public static string? WhyNot(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http"))
            return "url must be an address such as https://acme.okta.com";
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            return "url must have a host and a path only; credentials are named by settings such as token_env, never written into the engagement";
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            return "url must begin with https://, because credentials are not sent in clear; plain http is accepted for the machine itself only";
        return IsLinkLocal(url) ? "url is a link-local address, where clouds give out the credentials of the machine" : null;
    }

    /// <summary>Returns the address with a slash at its end.</summary>
    public static Uri Of(string text) => new(text.EndsWith('/') ? text : text + "/");

    private static bool IsLinkLocal(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address) && address switch
    {
        { IsIPv6LinkLocal: true } => true,
        { IsIPv4MappedToIPv6: true } => IsLinkLocal(address.MapToIPv4()),
        _ => IsLinkLocal(address),
    };

    private static bool IsLinkLocal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..];
}
