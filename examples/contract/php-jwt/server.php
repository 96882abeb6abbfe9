<?php
// PHP with firebase/php-jwt and its CachedKeySet, as in its README.
require getenv('PEER_WORK') . '/vendor/autoload.php';

use Firebase\JWT\CachedKeySet;
use Firebase\JWT\JWT;
use GuzzleHttp\Client;
use GuzzleHttp\Psr7\HttpFactory;
use Symfony\Component\Cache\Adapter\FilesystemAdapter;

function reject(): void
{
    http_response_code(401);
    header('WWW-Authenticate: Bearer error="invalid_token"');
    exit;
}

$keys = new CachedKeySet(
    getenv('BEARWARD_CONTRACT_JWKS_URL'),
    new Client(),
    new HttpFactory(),
    new FilesystemAdapter('', 0, getenv('PEER_WORK') . '/cache'),
    null,
    true,
);

if (!preg_match('/^Bearer +(\S+)$/i', $_SERVER['HTTP_AUTHORIZATION'] ?? '', $match)) {
    reject();
}
try {
    $claims = JWT::decode($match[1], $keys);
} catch (Exception) {
    reject();
}
$audiences = (array) ($claims->aud ?? []);
if (($claims->iss ?? null) !== getenv('BEARWARD_CONTRACT_ISSUER') || !in_array(getenv('BEARWARD_CONTRACT_AUDIENCE'), $audiences, true)) {
    reject();
}
header('Content-Type: application/json');
echo json_encode(['user_id' => $claims->sub]);
