using AuditCli.Controls;

namespace AuditCli.Reports;

/// <summary>The words of conclusions and domains as people read them.</summary>
internal static class Wording
{
    public static string Name(ItgcDomain domain) => domain switch
    {
        ItgcDomain.AccessToProgramsAndData => "Access to programs and data",
        ItgcDomain.ProgramChangeManagement => "Program change management",
        ItgcDomain.ProgramDevelopment => "Program development",
        ItgcDomain.ComputerOperations => "Computer operations",
        ItgcDomain.InfrastructureSecurity => "Infrastructure and network security",
        ItgcDomain.LoggingAndMonitoring => "Logging and monitoring",
        ItgcDomain.DataIntegrity => "Data integrity",
        ItgcDomain.AiPlatform => "AI platform",
        ItgcDomain.CryptoCustody => "Crypto custody and proof of reserves",
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    public static string Name(Conclusion conclusion) => conclusion switch
    {
        Conclusion.Fail => "FAIL",
        Conclusion.Error => "ERROR",
        Conclusion.Inconclusive => "INCONCLUSIVE",
        Conclusion.NeedsReview => "NEEDS_REVIEW",
        Conclusion.Pass => "PASS",
        Conclusion.NoOccurrence => "NO_OCCURRENCE",
        Conclusion.NotApplicable => "NOT_APPLICABLE",
        _ => throw new ArgumentOutOfRangeException(nameof(conclusion)),
    };
}
