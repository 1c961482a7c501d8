namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Defines the SQL functions <c>internet_from(network)</c> and <c>internet_to(network)</c>: where a network in CIDR notation (RFC
/// 4632, RFC 4291) begins and ends in the internet of its address family, as a number from 0 to 1. The internet is every IPv4
/// address, or the global unicast addresses of IPv6 (<c>2000::/3</c>). So 0.0.0.0/1 goes from 0 to 0.5, <c>::/0</c> and
/// <c>2000::/3</c> from 0 to 1, and a private IPv6 network is empty. NULL for anything that is not a network.
/// </summary>
/// <remarks>
/// The sum of what several ranges cover detects the whole internet however it is split; comparing texts with 0.0.0.0/0 does not.
/// A number of double precision represents every IPv4 network exactly, and IPv6 networks down to /52, far more precise than such
/// a sum needs. Each part is computed once, as the single element of a list: a macro is text, and naming a part three times binds
/// it three times.
/// </remarks>
internal static class InternetFunctions
{
    public const string From = "internet_from";
    public const string To = "internet_to";

    /// <summary>
    /// The statements that define them, run before the engine is locked; they use only the engine's own functions.
    /// </summary>
    public const string Definition =
        """
        CREATE MACRO _parts(part) AS CASE WHEN part = '' THEN [] ELSE string_split(part, ':') END;
        CREATE MACRO _groups(part) AS len(_parts(part)) + contains(part, '.')::INTEGER;
        CREATE MACRO _fraction(digits, base) AS list_reduce(list_reverse(digits), lambda below, digit: below / base + digit) / base;
        CREATE MACRO _ipv4(address) AS CASE WHEN regexp_full_match(address, '[0-9]{1,3}([.][0-9]{1,3}){3}')
            THEN _fraction([TRY_CAST(octet AS UTINYINT)::DOUBLE FOR octet IN string_split(address, '.')], 256) END;
        CREATE MACRO _ipv6(address) AS CASE WHEN contains(address, ':') AND regexp_full_match(address, '[0-9a-fA-F:.]+')
            AND (contains(address, '::') OR _groups(address) = 8)
            THEN _fraction([TRY_CAST('0x' || digits AS USMALLINT)::DOUBLE FOR digits IN [filled[1:4] FOR filled IN [
                CASE WHEN contains(address, '::') THEN list_concat(list_concat(_parts(split_part(address, '::', 1)),
                    ['0', '0', '0', '0', '0', '0', '0', '0'][1:greatest(8 - _groups(split_part(address, '::', 1)) - _groups(split_part(address, '::', 2)), 0)]),
                    _parts(split_part(address, '::', 2)))
                ELSE _parts(address) END]][1]], 65536) END;
        CREATE MACRO _bits(network) AS CASE
            WHEN NOT contains(network, '/') THEN CASE WHEN contains(network, ':') THEN 128 ELSE 32 END
            WHEN regexp_full_match(split_part(network, '/', 2), '[0-9]{1,3}')
                 AND split_part(network, '/', 2)::INTEGER <= CASE WHEN contains(network, ':') THEN 128 ELSE 32 END THEN split_part(network, '/', 2)::INTEGER END;
        CREATE MACRO _in_internet(network, place) AS CASE WHEN place IS NULL THEN NULL WHEN contains(network, ':') THEN least(greatest((place - 0.125) * 8, 0), 1) ELSE place END;
        CREATE MACRO _network(network) AS {'first': [coalesce(_ipv4(address), _ipv6(address)) FOR address IN [split_part(network, '/', 1)]][1], 'share': pow(2, -_bits(network))};
        CREATE MACRO internet_from(network) AS [_in_internet(network, floor(here.first / here.share) * here.share) FOR here IN [_network(network)]][1];
        CREATE MACRO internet_to(network) AS [_in_internet(network, floor(here.first / here.share) * here.share + here.share) FOR here IN [_network(network)]][1];
        """;
}
