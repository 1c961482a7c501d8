using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Responses of a provider for the tests of faults, and a call that connects.</summary>
internal static class FaultAnswers
{
    public const string Users = """
        <ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><IsTruncated>false</IsTruncated><Users><member>
        <UserName>a</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users></ListUsersResult></ListUsersResponse>
        """;

    public static readonly Reaction Throttled = Reaction.Xml(
        "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>", 400);

    public static string Page(string marker) => $"""
        <ListUsersResponse><ListUsersResult><IsTruncated>true</IsTruncated><Marker>{marker}</Marker><Users><member><UserName>a</UserName></member></Users>
        </ListUsersResult></ListUsersResponse>
        """;

    /// <summary>Connects by a call whose response does not matter.</summary>
    public static async Task ConnectAsync(Session session) =>
        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("sts:GetCallerIdentity"));
}
