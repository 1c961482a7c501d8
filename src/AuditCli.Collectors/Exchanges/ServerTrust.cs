using System.Collections.Immutable;
using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Thrown if a server did not prove its identity. The message names its certificate, why it is not accepted, and the next step.
/// </summary>
public sealed class UntrustedServerException(string message) : AuthenticationException(message)
{
    /// <summary>Returns the exception of this type in a chain of exceptions; null if there is none.</summary>
    public static UntrustedServerException? In(Exception? failure) => FailureChain.Of(failure).OfType<UntrustedServerException>().FirstOrDefault();
}

/// <summary>Decides which authorities may have issued a server's certificate.</summary>
internal sealed class ServerTrust
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string AlternativeNames = "2.5.29.17";
    private readonly X509Certificate2Collection? _authorities;
    private readonly string _place;
    private readonly string _next;

    private ServerTrust(X509Certificate2Collection? authorities, string place, string next, bool isChecked) =>
        (_authorities, _place, _next, IsChecked) = (authorities, place, next, isChecked);

    /// <summary>Whether certificates are verified at all.</summary>
    public bool IsChecked { get; }

    /// <summary>Returns the trust in the operating system's authorities.</summary>
    /// <param name="next">The advice in the message about a server that they do not know.</param>
    public static ServerTrust System(string next) => new(null, "the operating system's trusted authorities", next, isChecked: true);

    /// <summary>Returns the trust in these authorities only, without the system's.</summary>
    /// <param name="pem">The certificates; other PEM blocks are ignored.</param>
    /// <param name="place">The source of the certificates, for messages.</param>
    /// <exception cref="CollectionException">The text has no certificate.</exception>
    public static ServerTrust Only(string pem, string place, string next)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new CollectionException(Codes.UntrustedServer, $"{place} contains a certificate that cannot be read; it must be PEM", e);
        }
        return authorities.Count > 0
            ? new(authorities, place, next, isChecked: true)
            : throw new CollectionException(
                Codes.UntrustedServer, $"{place} contains no certificate; it must be PEM, with the line -----BEGIN CERTIFICATE-----");
    }

    /// <summary>Returns the trust in the authorities of a file only, as <see cref="Only"/> does.</summary>
    /// <param name="from">The setting that names the file, such as a variable.</param>
    /// <exception cref="CollectionException">The file cannot be read, or has no certificate.</exception>
    public static ServerTrust OnlyFile(string file, string from, string next)
    {
        try
        {
            return Only(RegularFile.ReadAllText(file), $"{from} ({file})", next);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CollectionException(
                Codes.UntrustedServer, $"{from} names {file}, which cannot be read: {e.Message}; correct the path, or unset it", e);
        }
    }

    /// <summary>Accepts every certificate, if the user configured it; reports name each server that is read this way.</summary>
    public static ServerTrust Unchecked() => new(null, "", "", isChecked: false);

    /// <summary>Configures a transport to verify certificates by this trust.</summary>
    /// <param name="presented">Takes note of the certificates of each connection; null for nobody.</param>
    public void Apply(SslClientAuthenticationOptions options, ServerCertificates? presented)
    {
        options.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            presented?.Note(sender, certificate, chain);
            return Accept(sender, certificate, chain, errors);
        };
        if (_authorities is null)
            return;
        options.CertificateChainPolicy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            ApplicationPolicy = { new Oid(ServerAuthentication) },
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
    }

    private bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        !IsChecked || errors == SslPolicyErrors.None || errors == SslPolicyErrors.RemoteCertificateChainErrors && EndsAtNamed(chain)
            || Refused(Describe(certificate as X509Certificate2, chain, errors, (sender as SslStream)?.TargetHostName));

    /// <summary>Throws instead of returning false, since the runtime's own message names neither the certificate nor the reason.</summary>
    private static bool Refused(string why) => throw new UntrustedServerException(why);

    /// <summary>
    /// Whether the chain contains a configured authority. It need not be a root: openssl and Go also end the chain there.
    /// </summary>
    private bool EndsAtNamed(X509Chain? chain) =>
        _authorities is not null && chain is not null
        && chain.ChainStatus.All(s => s.Status is X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot)
        && chain.ChainElements.Any(e => _authorities.Contains(e.Certificate));

    private string Describe(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string? host)
    {
        if (certificate is null)
            return $"the server presented no certificate; {_next}";
        var reasons = new List<string>();
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
            reasons.Add($"it is for {Names(certificate)} and not for {host}");
        var broken = (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 && chain is not null;
        foreach (var element in broken ? [.. chain!.ChainElements] : ImmutableArray<X509ChainElement>.Empty)
        {
            var which = element.Certificate.Equals(certificate) ? "it" : $"its authority {element.Certificate.Subject}";
            foreach (var status in element.ChainElementStatus.Select(s => s.Status).Distinct())
                reasons.Add(Reason(status, which, element.Certificate, chain!.ChainPolicy.VerificationTime));
        }
        if (reasons.Count == 0)
            reasons.Add($"no chain leads from it to {_place}");
        return $"the server's certificate is not trusted: subject {certificate.Subject}, issuer {certificate.Issuer}, "
            + $"valid {Day(certificate.NotBefore)} to {Day(certificate.NotAfter)}: "
            + $"{string.Join("; ", reasons.Distinct())}. {_next}";
    }

    private string Reason(X509ChainStatusFlags status, string which, X509Certificate2 certificate, DateTime at) => status switch
    {
        X509ChainStatusFlags.NotTimeValid => at < certificate.NotBefore
            ? $"{which} is not valid yet (from {Day(certificate.NotBefore)})"
            : $"{which} has expired ({Day(certificate.NotAfter)})",
        X509ChainStatusFlags.PartialChain => $"its issuer is unknown: {certificate.Issuer} is not among {_place}",
        X509ChainStatusFlags.UntrustedRoot => certificate.Subject == certificate.Issuer && which == "it"
            ? $"it is self-signed and is not among {_place}"
            : $"its root {certificate.Subject} is not among {_place}",
        X509ChainStatusFlags.NotSignatureValid => $"{which} is not signed by the {certificate.Issuer} among {_place}",
        X509ChainStatusFlags.NotValidForUsage => $"{which} is not valid for servers",
        X509ChainStatusFlags.Revoked => $"{which} was revoked",
        _ => $"{which} has the fault {status}",
    };

    private static string Names(X509Certificate2 certificate)
    {
        if (certificate.Extensions[AlternativeNames] is not { } extension)
            return "no name at all";
        var names = new X509SubjectAlternativeNameExtension(extension.RawData);
        string[] all = [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(a => a.ToString())];
        return all.Length == 0 ? "no name at all" : string.Join(", ", all.Take(5)) + (all.Length > 5 ? " and others" : "");
    }

    private static string Day(DateTime moment) => moment.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
