using System.Text;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Compares the account that a response names, wherever it names one, with the account of the target.</summary>
[Collection("environment")]
public sealed class AccountIdTests
{
    private const string Own = "123456789012";

    [Theory]
    [InlineData("../../etc", "arn:aws:iam::../../etc:user/a", "MalformedResponse", "'../../etc' is not an account")]
    [InlineData("12345678901", "arn:aws:iam::12345678901:user/a", "MalformedResponse", "'12345678901' is not an account")]
    [InlineData("１２３４５６７８９０１２", "arn:aws:iam::123456789012:user/a", "MalformedResponse", "is not an account")]
    [InlineData("123456789012 ", "arn:aws:iam::123456789012:user/a", "MalformedResponse", "is not an account")]
    [InlineData(Own, "arn:aws:iam::999999999999:user/a", "AnotherAccount", "reports account 123456789012, but arn:aws:iam::999999999999:user/a")]
    [InlineData(Own, "auditor", "AnotherAccount", "but auditor belongs")]
    [InlineData(Own, "arn:aws:iam::aws:user/a", "AnotherAccount", "but arn:aws:iam::aws:user/a belongs")]
    public async Task An_account_that_is_none_or_another_is_not_entered(string account, string arn, string code, string said)
    {
        await using var server = new LoopbackServer((_, _) => Caller(account, arn));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));

        Assert.Equal(code, e.Code);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_of_one_account_that_turns_out_to_be_of_another_is_not_entered()
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("AssumeRole", StringComparison.Ordinal)
            ? Reaction.Xml(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>"
                + "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                + "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>")
            : Caller(Own, $"arn:aws:sts::{Own}:assumed-role/Audit/auditcli"));
        await using var session = Session.Live(server.Address);

        var target = Session.Target(("role_arn", "arn:aws:iam::999999999999:role/Audit"));
        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(target, CancellationToken.None));

        Assert.Equal(
            ("AnotherAccount", "role_arn belongs to account 999999999999, but sts:GetCallerIdentity reports account 123456789012"), (e.Code, e.Message));
    }

    [Theory]
    [InlineData("../../etc", "arn:aws:organizations::123456789012:account/o-1/../../etc", "MalformedResponse")]
    [InlineData("222222222222", "arn:aws:organizations::123456789012:account/o-1/333333333333", "AnotherAccount")]
    public async Task An_organization_that_lists_what_is_no_account_is_not_read(string id, string arn, string code)
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Json($$"""{"Accounts":[{"Id":"{{id}}","Arn":"{{arn}}","Status":"ACTIVE","Name":"x"}]}"""));
        await using var session = Session.Live(server.Address);

        var target = Session.Target(("organization", "true"), ("role_name", "Audit"));
        Assert.Equal(code, (await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(target, CancellationToken.None))).Code);
    }

    /// <summary>
    /// Checks that what the role of one account can read is not stored as another account's evidence. The access key of each role tells the
    /// server whose identity to give.
    /// </summary>
    [Theory]
    [InlineData("222222222222", null)]
    [InlineData("999999999999", "the role belongs to account 999999999999")]
    [InlineData(Own, "the role belongs to account 123456789012")]
    public async Task An_account_of_an_organization_whose_role_belongs_to_another_is_not_entered(string entered, string? said)
    {
        await using var server = new LoopbackServer((request, _) => request switch
        {
            { Body: var body } when body.Contains("AssumeRole", StringComparison.Ordinal) => Reaction.Xml(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAOFTHEROLE</AccessKeyId>"
                + "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                + "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"),
            { Body: var body } when body.Contains("GetCallerIdentity", StringComparison.Ordinal) =>
                request.Fields["Authorization"].Contains("ASIAOFTHEROLE", StringComparison.Ordinal)
                    ? Caller(entered, $"arn:aws:sts::{entered}:assumed-role/Audit/auditcli")
                    : Caller(Own, $"arn:aws:iam::{Own}:user/a"),
            _ => Reaction.Json(request.Fields["X-Amz-Target"].Split('.')[^1] switch
            {
                "ListRoots" => """{"Roots":[{"Id":"r-1"}]}""",
                "ListOrganizationalUnitsForParent" => """{"OrganizationalUnits":[]}""",
                _ => $$"""{"Accounts":[{"Id":"{{Own}}","Status":"ACTIVE","Name":"a"},{"Id":"222222222222","Status":"ACTIVE","Name":"b"}]}""",
            }),
        });
        await using var session = Session.Live(server.Address);

        var connections = await session.Collector.ConnectAsync(
            Session.Target(("organization", "true"), ("role_name", "Audit")), CancellationToken.None);

        Assert.Equal([Own, "222222222222"], connections.Select(c => c.Account));
        Assert.Equal(said is null ? null : "AnotherAccount", connections[1].Failure?.Code);
        Assert.EndsWith(said ?? "", connections[1].Failure?.Message ?? "", StringComparison.Ordinal);
        Assert.Null(connections[0].Failure);
    }

    [Theory]
    [InlineData("arn:aws:iam::999999999999:user/a")]
    [InlineData("arn:aws-cn:iam::999999999999:user/a")]
    [InlineData("arn:aws:iam::../../etc:user/a")]
    [InlineData("user/a")]
    public async Task Users_of_another_account_are_not_evidence_of_the_one_that_was_entered(string arn)
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Xml(
                "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users><member><UserName>a</UserName>"
                + $"<Arn>{arn}</Arn></member></Users></ListUsersResult></ListUsersResponse>"));
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("iam:ListUsers"));

        Assert.Equal(("AnotherAccount", $"iam:ListUsers lists {arn}, but account {Own} was requested"), (e.Code, e.Message));
    }

    [Theory]
    [InlineData(
        "iam:ListMFADevices",
        "<MFADevices><member><UserName>{0}</UserName><SerialNumber>arn:aws:iam::123456789012:mfa/a</SerialNumber>"
        + "<EnableDate>2026-01-01T00:00:00Z</EnableDate></member></MFADevices>")]
    [InlineData(
        "iam:ListAccessKeys",
        "<AccessKeyMetadata><member><UserName>{0}</UserName><AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId>"
        + "<Status>Inactive</Status></member></AccessKeyMetadata>")]
    [InlineData("iam:GetLoginProfile", "<LoginProfile><UserName>{0}</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></LoginProfile>")]
    public async Task What_an_answer_says_of_another_user_is_not_evidence_of_the_one_who_was_asked_about(string operation, string result)
    {
        var said = "bob";
        var name = operation[4..];
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Xml(
                $"<{name}Response><{name}Result>"
                + $"<IsTruncated>false</IsTruncated>{result.Replace("{0}", said, StringComparison.Ordinal)}</{name}Result>"
                + $"</{name}Response>"));
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(operation, ("UserName", "alice")));
        Assert.Equal(("AnotherName", $"{operation} returned UserName bob, but alice was requested"), (e.Code, e.Message));

        // IAM user names are not case-sensitive.
        said = "Alice";
        Assert.Single(await session.CollectAsync(operation, ("UserName", "alice")));
    }

    [Fact]
    public async Task A_credential_report_of_another_account_is_not_evidence()
    {
        var header = string.Join(',', AuditCli.Collectors.Aws.CredentialReport.Columns.Select(c => c.Name).Where(n => n != "_generated_at"));
        var row = string.Join(',', header.Split(',').Select(n => n switch { "user" => "a", "arn" => "arn:aws:iam::999999999999:user/a", _ => "N/A" }));
        var report = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{header}\n{row}\n"));
        await using var server = new LoopbackServer((request, _) => request.Body switch
        {
            var b when b.Contains("GetCallerIdentity", StringComparison.Ordinal) => Caller(Own, $"arn:aws:iam::{Own}:user/a"),
            var b when b.Contains("GenerateCredentialReport", StringComparison.Ordinal) =>
                Reaction.Xml(
                    "<GenerateCredentialReportResponse><GenerateCredentialReportResult>"
                    + "<State>COMPLETE</State></GenerateCredentialReportResult></GenerateCredentialReportResponse>"),
            _ => Reaction.Xml(
                $"<GetCredentialReportResponse><GetCredentialReportResult><Content>{report}</Content><GeneratedTime>2026-01-01T00:00:00Z</GeneratedTime>"
                + "<ReportFormat>text/csv</ReportFormat></GetCredentialReportResult></GetCredentialReportResponse>"),
        });
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        Assert.Equal("AnotherAccount", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("iam:GetCredentialReport"))).Code);
    }

    [Fact]
    public async Task What_AWS_manages_for_everybody_is_listed_by_every_account()
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Xml(
                "<ListPoliciesResponse><ListPoliciesResult><IsTruncated>false</IsTruncated><Policies><member>"
                + "<Arn>arn:aws:iam::aws:policy/AdministratorAccess</Arn></member>"
                + $"<member><Arn>arn:aws:iam::{Own}:policy/own</Arn></member></Policies></ListPoliciesResult></ListPoliciesResponse>"));
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        Assert.Equal(2, (await session.CollectAsync("iam:ListPolicies")).Sum(p => p.Rows.Length));
    }

    [Theory]
    [InlineData("arn:aws:kms:us-east-1:123456789012:key/a", null)]
    [InlineData("arn:aws:kms:us-east-1:999999999999:key/a", "AnotherAccount")]
    [InlineData("arn:aws:kms:eu-west-1:123456789012:key/a", "MalformedResponse")]
    [InlineData("key/a", "AnotherAccount")]
    public async Task What_is_listed_only_for_its_owner_is_of_the_account_and_the_region(string arn, string? code)
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Json($$"""{"Keys":[{"KeyId":"a","KeyArn":"{{arn}}"}],"Truncated":false}"""));
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        var e = await Record.ExceptionAsync(() => session.CollectAsync("kms:ListKeys"));

        Assert.Equal(code, (e as CollectionException)?.Code);
        Assert.Equal(code is null, e is null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_resource_that_is_listed_twice_means_that_another_may_be_missing(bool onePage)
    {
        const string Row = """{"KeyId":"a","KeyArn":"arn:aws:kms:us-east-1:123456789012:key/a"}""";
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Caller(Own, $"arn:aws:iam::{Own}:user/a")
            : Reaction.Json(onePage ? $$"""{"Keys":[{{Row}},{{Row}}],"Truncated":false}"""
                : request.Body.Contains("Marker", StringComparison.Ordinal) ? $$"""{"Keys":[{{Row}}],"Truncated":false}"""
                : $$"""{"Keys":[{{Row}}],"Truncated":true,"NextMarker":"m"}"""));
        await using var session = Session.Live(server.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        Assert.Equal("RepeatedRow", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("kms:ListKeys"))).Code);
    }

    [Fact]
    public void Every_operation_that_lists_only_own_resources_has_the_arn_in_its_rows()
    {
        var source = AuditCli.Collectors.Aws.AwsSource.Create();
        var catalogue = new AuditCli.Collectors.Aws.Catalogue.AwsCatalogue();
        Assert.All(AuditCli.Collectors.Aws.OwnResources.Names, name =>
        {
            var (service, operation) = catalogue.Find(name)!.Value;
            Assert.Contains(source.FindOperation(name)!.Columns, c => c.Name == AuditCli.Collectors.Aws.OwnResources.ArnOf(service, operation)!.Value.Member);
        });
    }

    private static Reaction Caller(string account, string arn) => Reaction.Xml(
        $"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn>"
        + $"<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
}
