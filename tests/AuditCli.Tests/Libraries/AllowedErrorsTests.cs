using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Checks which error codes a control may accept as an empty answer, for every source. Accepting a code that means something else would
/// give a pass without data, so such a control is refused when it is loaded.
/// </summary>
public sealed class AllowedErrorsTests
{
    private const string Folder = "access-to-programs-and-data";
    private const string Refused = "does not mean 'there is none', so it cannot count as an empty result";

    [Theory]
    // Denied.
    [InlineData("AccessDenied")]
    [InlineData("AccessDeniedException")]
    [InlineData("UnauthorizedOperation")]
    [InlineData("AuthFailure")]
    [InlineData("InvalidClientTokenId")]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("OptInRequired")]
    // Throttled.
    [InlineData("Throttling")]
    [InlineData("ThrottlingException")]
    [InlineData("TooManyRequestsException")]
    [InlineData("RequestLimitExceeded")]
    [InlineData("SlowDown")]
    // Expired.
    [InlineData("ExpiredToken")]
    [InlineData("ExpiredTokenException")]
    [InlineData("RequestExpired")]
    // Broken, or not understood.
    [InlineData("ServiceUnavailable")]
    [InlineData("InternalFailure")]
    [InlineData("RequestTimeout")]
    [InlineData("ValidationException")]
    // Codes of other sources, and an empty code.
    [InlineData("NOT_FOUND")]
    [InlineData("notFound")]
    [InlineData("PERMISSION_DENIED")]
    [InlineData("HTTP404")]
    [InlineData("nosuchentity")]
    [InlineData("AccessDenied.NoSuchEntity")]
    [InlineData("*")]
    [InlineData(".*")]
    public void A_code_of_AWS_that_does_not_say_none_is_refused_at_loading(string code) => IsRefused("aws", "iam:ListUsers", code);

    [Theory]
    // Denied: the status, and the reasons that accompany 401 and 403 in the new and the old error format.
    [InlineData("PERMISSION_DENIED")]
    [InlineData("UNAUTHENTICATED")]
    [InlineData("forbidden")]
    [InlineData("insufficientPermissions")]
    [InlineData("accessNotConfigured")]
    [InlineData("authError")]
    [InlineData("required")]
    [InlineData("IAM_PERMISSION_DENIED")]
    [InlineData("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]
    [InlineData("ACCOUNT_STATE_INVALID")]
    [InlineData("API_KEY_INVALID")]
    [InlineData("CONSUMER_INVALID")]
    [InlineData("SERVICE_DISABLED")]
    [InlineData("BILLING_DISABLED")]
    [InlineData("SECURITY_POLICY_VIOLATED")]
    [InlineData("USER_PROJECT_DENIED")]
    // Throttled.
    [InlineData("RESOURCE_EXHAUSTED")]
    [InlineData("RATE_LIMIT_EXCEEDED")]
    [InlineData("rateLimitExceeded")]
    [InlineData("userRateLimitExceeded")]
    [InlineData("quotaExceeded")]
    // Expired.
    [InlineData("ACCESS_TOKEN_EXPIRED")]
    [InlineData("expired")]
    // Broken, or not understood.
    [InlineData("UNAVAILABLE")]
    [InlineData("DEADLINE_EXCEEDED")]
    [InlineData("INTERNAL")]
    [InlineData("ABORTED")]
    [InlineData("FAILED_PRECONDITION")]
    [InlineData("INVALID_ARGUMENT")]
    [InlineData("backendError")]
    [InlineData("HTTP403")]
    [InlineData("HTTP404")]
    [InlineData("HTTP429")]
    // Codes of other sources, and an empty code.
    [InlineData("NotFound")]
    [InlineData("NoSuchEntity")]
    [InlineData("not_found")]
    [InlineData("NOT_FOUND|PERMISSION_DENIED")]
    [InlineData("*")]
    public void A_code_of_Google_that_does_not_say_none_is_refused_at_loading(string code) => IsRefused("gcp", "iam:projects.serviceAccounts.list", code);

    [Theory]
    // Denied.
    [InlineData("Forbidden")]
    [InlineData("Unauthorized")]
    // Throttled.
    [InlineData("TooManyRequests")]
    // Expired.
    [InlineData("Expired")]
    [InlineData("Gone")]
    // Broken, or not understood.
    [InlineData("Timeout")]
    [InlineData("ServerTimeout")]
    [InlineData("ServiceUnavailable")]
    [InlineData("InternalError")]
    [InlineData("BadRequest")]
    [InlineData("Invalid")]
    [InlineData("MethodNotAllowed")]
    [InlineData("NotAcceptable")]
    [InlineData("UnsupportedMediaType")]
    [InlineData("Conflict")]
    [InlineData("Unknown")]
    [InlineData("Http403")]
    [InlineData("Http404")]
    [InlineData("Http502")]
    // Codes of other sources, and an empty code.
    [InlineData("NOT_FOUND")]
    [InlineData("notFound")]
    [InlineData("NoSuchEntity")]
    [InlineData("notfound")]
    [InlineData("*")]
    public void A_code_of_Kubernetes_that_does_not_say_none_is_refused_at_loading(string code) => IsRefused("kubernetes", "v1/pods", code);

    /// <summary>
    /// Allows, of the codes that the program itself assigns to a failed request, only those by which the source reports that something does
    /// not exist.
    /// </summary>
    [Theory]
    [InlineData("aws", "iam:ListUsers", "TrailNotFoundException")]
    [InlineData("gcp", "iam:projects.serviceAccounts.list")]
    [InlineData("gcp", "policyanalyzer:projects.locations.activityTypes.activities.query", "ApiNotEnabled")]
    [InlineData("kubernetes", "v1/pods", "NotFound", "NotServed")]
    [InlineData("kubernetes", "example.com/v1/gadgets", "NotFound", "NotServed")]
    public void A_code_of_our_own_is_refused_at_loading_unless_the_source_says_none_with_it(string source, string operation, params string[] allowed)
    {
        var own = OwnCodes.Examples(Codes.All);

        var faults = Load(source, operation, own).Faults;

        var refused = faults.Where(f => f.Message.Contains(Refused, StringComparison.Ordinal)).Select(f => f.Message.Split('\'')[1]);
        Assert.Equal(own.Except(allowed), refused.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("aws", "iam:ListMFADevices", "NoSuchEntity")]
    [InlineData("aws", "s3:GetBucketPolicy", "NoSuchBucketPolicy")]
    [InlineData("aws", "cloudtrail:GetEventSelectors", "TrailNotFoundException")]
    [InlineData("gcp", "iam:projects.serviceAccounts.list", "NOT_FOUND")]
    [InlineData("gcp", "storage:buckets.list", "notFound")]
    [InlineData("gcp", "policyanalyzer:projects.locations.activityTypes.activities.query", "ApiNotEnabled")]
    [InlineData("kubernetes", "v1/pods", "NotFound")]
    [InlineData("kubernetes", "policy/v1beta1/podsecuritypolicies", "NotServed")]
    public void A_providers_word_for_none_loads(string source, string operation, string code)
    {
        // Some operations also lack a parameter here; that fault is expected.
        Assert.All(Load(source, operation, code).Faults, f => Assert.Contains("needs the parameter", f.Message, StringComparison.Ordinal));
    }

    private static void IsRefused(string source, string operation, string code)
    {
        var fault = Assert.Single(Load(source, operation, code).Faults);
        Assert.Contains($"'{code}' {Refused}", fault.Message, StringComparison.Ordinal);
        Assert.Equal(("APD-XSR-901.yaml", 17), (fault.File, fault.Line));
    }

    private static ControlLibrary Load(string source, string operation, params string[] codes)
    {
        var allowed = string.Join(", ", codes.Select(c => $"{JsonSerializer.Serialize(c)}: empty"));
        var text = $$"""
            schema: 1
            id: APD-XSR-901
            version: 1.0.0
            title: t
            objective: o
            risk: r
            domain: {{Folder}}
            nature: { type: preventive, execution: automated }
            frequency: continuous
            kind: design
            mode: point-in-time
            key_control: false
            owner: w
            references: {}
            completeness: { none: There is no second count. }
            evidence:
              rows: { {{source}}: "{{operation}}", allow_errors: { {{allowed}} } }
            tests: [{ id: T1, title: t, sql: SELECT 1 }]
            recommendation: c

            """;
        var file = new LibraryFile($"{Folder}/APD-XSR-901.yaml", Encoding.UTF8.GetBytes(text), "APD-XSR-901.yaml");
        return ControlLibrary.Load([file], [.. CollectorCatalog.All.Select(c => c.Source)], ImmutableDictionary<string, Digest>.Empty);
    }
}
