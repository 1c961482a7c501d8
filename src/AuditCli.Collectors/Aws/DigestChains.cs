using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Checks the two chains that CloudTrail's digest files of one trail and region form: the hourly digests, which cover all time without a
/// gap, and the backfill digests, which add files that arrived too late for their hour and cover only the hours that they name. Each digest
/// names its predecessor in its own chain by key, hash and signature. Every inconsistency is added to the faults.
/// </summary>
/// <param name="isEarlier">Whether a key is that of a backfill digest of this trail from before the period, which is not read.</param>
internal sealed class DigestChains(DateTimeOffset from, DateTimeOffset until, Func<string, bool> isEarlier, FailureTally faults)
{
    private readonly Dictionary<string, TrailDigest> _backfill = new(StringComparer.Ordinal);
    private TrailDigest? _hourly;

    /// <summary>Adds the next hourly digest, in the order of their end times.</summary>
    public void AddHourly(TrailDigest digest)
    {
        if (_hourly is null && digest.From > from)
            faults.Add(AwsCodes.PeriodNotCovered, $"the first digest file begins at {Rfc3339.Format(digest.From)}, after {Rfc3339.Format(from)}");
        if (_hourly is not null && !(digest.Follows(_hourly) && digest.From == _hourly.Until))
            faults.Add(AwsCodes.DigestChainBroken, $"{digest.Key} does not follow {_hourly.Key}");
        _hourly = digest;
    }

    /// <summary>Adds a backfill digest, in any order.</summary>
    public void AddBackfill(TrailDigest digest) => _backfill[digest.Key] = digest;

    /// <summary>Reports the faults that are known only after all digests were added.</summary>
    public void End()
    {
        if (_hourly is null)
            faults.Add(AwsCodes.PeriodNotCovered, $"there is no digest file for {Rfc3339.Format(from)} to {Rfc3339.Format(until)}");
        else if (_hourly.Until < until)
            faults.Add(AwsCodes.PeriodNotCovered, $"the last digest file ends at {Rfc3339.Format(_hourly.Until)}, before {Rfc3339.Format(until)}");
        var followed = new HashSet<string>(StringComparer.Ordinal);
        string? first = null;
        foreach (var digest in _backfill.Values)
        {
            if (digest.PreviousKey is { } key && _backfill.TryGetValue(key, out var before))
            {
                if (!digest.Follows(before) || !followed.Add(key))
                    faults.Add(AwsCodes.DigestChainBroken, $"{digest.Key} does not follow {key}");
            }
            else if (digest.PreviousKey is { } unread && !isEarlier(unread))
                faults.Add(AwsCodes.DigestChainBroken, $"{digest.Key} follows {unread}, which was not read");
            else if (first is not null)
                faults.Add(AwsCodes.DigestChainBroken, $"{digest.Key} follows no backfill digest of the period, and neither does {first}");
            else
                first = digest.Key;
        }
    }
}
