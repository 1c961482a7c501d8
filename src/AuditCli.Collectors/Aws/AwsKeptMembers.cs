using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws;

/// <summary>A member that is kept although the provider's model marks it as sensitive.</summary>
/// <param name="Services">The service names, separated by spaces; <c>*</c> for all services.</param>
/// <param name="Place">The place on the wire.</param>
/// <param name="Why">The reason why it is not redacted.</param>
internal sealed record KeptMember(string Services, RedactedPlace Place, string Why)
{
    public bool IsOf(string service) => Services == "*" || Services.Split(' ').Contains(service);
}

/// <summary>
/// The members that are kept although AWS's models mark them as sensitive. The models also mark who or where somebody is, which is what
/// controls test. Each kept member has a reason here; a value in the form of a credential is redacted in any case.
/// </summary>
internal static class AwsKeptMembers
{
    public static ImmutableArray<KeptMember> All { get; } =
    [
        .. Because("whether the provider can reach the right people is what a control asks",
            ("account", "AlternateContact/Name AlternateContact/Title AlternateContact/EmailAddress AlternateContact/PhoneNumber "
                + "ContactInformation/* PrimaryEmail"),
            ("route53domains", "AdminContact/* RegistrantContact/* TechContact/* BillingContact/* AbuseContactEmail AbuseContactPhone"),
            ("sesv2", "AdditionalContactEmailAddresses/[]")),
        .. Because("it says who is told when something happens",
            ("budgets", "Subscribers/[]/Address"),
            ("codestar-notifications", "TargetAddress"),
            ("notificationscontacts", "name address"),
            ("security-ir", "name email jobTitle"),
            ("sns", "PhoneNumber phoneNumbers/member")),
        .. Because("it names an account, which is part of the population",
            ("account", "/AccountName"),
            ("organizations", "Account/Email Account/Name Accounts/[]/Email Accounts/[]/Name CreateAccountStatus/AccountName "
                + "CreateAccountStatuses/[]/AccountName "
                + "Organization/MasterAccountEmail DelegatedAdministrators/[]/Email DelegatedAdministrators/[]/Name Parties/[]/Id Resources/[]/Value "
                + "ResponsibilityTransfer/Name ResponsibilityTransfers/[]/Name ManagementAccountEmail"),
            ("guardduty", "Members/[]/Email"),
            ("detective", "EmailAddress"),
            ("billingconductor", "AccountName AccountEmail"),
            ("datazone", "awsAccountName")),
        .. Because("it says who somebody is, and whether a leaver still has access is what a control asks",
            ("identitystore", "UserName DisplayName Title UserType Description Name/Formatted Name/FamilyName Name/GivenName Name/MiddleName "
                + "Emails/[]/Value ExternalIds/[]/Id "
                + "ExternalIds/[]/Issuer"),
            ("ds-data", "UserPrincipalName EmailAddress GivenName Surname DistinguishedName"),
            ("cognito-idp", "Username"),
            ("workmail", "DisplayName FirstName LastName JobTitle Department"),
            ("workdocs", "Username GivenName Surname EmailAddress"),
            ("connect", "IdentityInfo/FirstName IdentityInfo/LastName IdentityInfo/Email IdentityInfo/SecondaryEmail"),
            ("appstream", "UserName FirstName LastName ServiceAccountCredentials/AccountName"),
            ("appfabric", "email userId userFullName userFirstName userLastName"),
            ("chime", "PrimaryEmail DisplayName Member/Email Member/FullName"),
            ("wickr", "firstName lastName"),
            ("finspace-data", "firstName lastName emailAddress permissionGroup/name permissionGroups/[]/name"),
            ("datazone", "sso/username sso/firstName sso/lastName"),
            ("redshift-serverless", "adminUsername"),
            ("workspaces-web", "username")),
        .. Because("it says who may do what",
            ("grafana", "admin/[] editor/[] organizationalUnits/[] organizationRoleName workspaceRoleArn"),
            ("mpa", "PolicyVersion/Document PolicyDocument"),
            ("verifiedpermissions", "statement principal/entityType principal/entityId resource/entityType resource/entityId "
                + "actions/[]/actionType actions/[]/actionId")),
        .. Because("an address says from where something was done, or who may come in",
            ("guardduty", "privateIpAddress ipAddressV4 ipAddressV6"),
            ("ssm", "IPAddress"),
            ("gamelift", "IpAddress IpRange"),
            ("discovery", "ipAddress"),
            ("dms", "PublicIpAddresses/[]"),
            ("security-ir", "ipAddress"),
            ("storagegateway", "Ipv4Address Ipv6Address"),
            ("pipes", "Subnets/[] SecurityGroup/[] SecurityGroups/[]"),
            ("workspaces-web", "ipRange clientIpAddresses/[]")),
        .. Because("it names a key or a secret, and is none",
            ("s3", "KMSMasterKeyID SSE-KMS/KeyId"),
            ("kendra", "KmsKeyId"),
            ("qbusiness", "kmsKeyId"),
            ("chime-sdk-voice", "KmsKeyArn"),
            ("lightsail", "accessKeyId"),
            ("cognito-idp", "ClientId"),
            ("apprunner", "RuntimeEnvironmentSecrets/*"),
            ("datazone", "secretArn"),
            ("ecs", "credentialsParameter"),
            ("kinesisvideo", "MediaUriSecretArn"),
            ("ssm-sap", "SecretId")),
        .. Because("it is public, as certificates and public keys are",
            ("ec2", "keyValue"),
            ("iotwireless", "ApplicationServerPublicKey"),
            ("mailmanager", "TrustStore/CAContent TrustStore/CrlContent"),
            ("odb", "sshPublicKeys/[]"),
            ("payment-cryptography", "CertificateSigningRequest"),
            ("rtbfabric", "certificateAuthorityCertificates/[] clusterApiServerCaCertificateChain"),
            ("transfer", "Certificate/Certificate Certificate/CertificateChain")),
        .. Because("it is how the next question is asked",
            ("auditmanager", "id arn name assessmentId controlSetId"),
            ("chime-sdk-media-pipelines", "MediaPipelineArn PoolArn MediaInsightsPipelineConfigurationArn "
                + "ChimeSdkMeetingLiveConnectorConfiguration/Arn SourceArn SinkArn"),
            ("chime-sdk-voice", "PhoneNumberId E164PhoneNumber VoiceProfileArn VoiceProfileDomainArn ConfigurationArn"),
            ("customer-profiles", "ObjectTypeName SegmentDefinitionName CalculatedAttributeName EventTriggerName"),
            ("frauddetector", "name arn"),
            ("iot", "thingName"),
            ("iotfleetwise", "name")),
        .. Because("what a variable is called is no secret", ("ecs", "environment/[]/name")),
        .. Because("tags say whose something is, and are no secret with the services that do not call them so",
            ("*", "tags/* tags/[]/key tags/[]/value tags/[]/tagKey tags/[]/tagValue"),
            ("backup", "RecoveryPointTags/*"),
            ("drs mgn", "stagingAreaTags/*"),
            ("mgn", "sourceServerTags/* scopeTags/*"),
            ("workspaces-thin-client", "deviceCreationTags/*")),
        .. Because("it is written for people",
            ("cloudfront", "Comment"),
            ("ssm", "/Description Tasks/[]/Description Targets/[]/Description WindowIdentities/[]/Description")),
    ];

    /// <summary>Returns the kept members of one service.</summary>
    public static ImmutableArray<RedactedPlace> Of(string service) => [.. All.Where(k => k.IsOf(service)).Select(k => k.Place)];

    private static IEnumerable<KeptMember> Because(string why, params (string Services, string Paths)[] members) =>
        members.SelectMany(m => m.Paths.Split(' ').Select(path => new KeptMember(m.Services, new RedactedPlace("", path), why)));
}
