namespace AuditCli.Evidence.Verification;

/// <summary>Names the checks of a verification, as its report does.</summary>
public static class VerifyQuestion
{
    public const string Files = "files";
    public const string Manifest = "manifest";
    public const string Signature = "signature";
    public const string KeyTrust = "key trust";
    public const string Time = "time";
    public const string Chain = "chain";
    public const string Totals = "totals";

    /// <summary>Asked only of a bundle over bundles.</summary>
    public const string Shards = "shards";

    /// <summary>Asked only where people stated something about the bundle.</summary>
    public const string People = "people";
}
