import type { RuleCases } from '@havn/checklist/testing'

/** A Dockerfile of these lines. */
function file(...lines: string[]): { Dockerfile: string } {
  return { Dockerfile: lines.join('\n') + '\n' }
}

/** More than the examples of the docs, by rule. */
export const cases: Readonly<Record<string, Partial<RuleCases>>> = {
  'dockerfile.healthcheck-missing': {
    passing: {
      'files alone': file('FROM scratch', 'COPY x /'),
      'the stage that it builds on has one': file(
        'FROM a:1 AS x',
        'HEALTHCHECK CMD ["y"]',
        'FROM x',
        'CMD ["z"]',
      ),
    },
    failing: {
      'what the base image starts': file(
        'FROM a:1 AS build',
        '# finds: dockerfile.healthcheck-missing',
        'FROM nginx:1.29',
        'COPY --from=build /x /usr/share/nginx/html',
      ),
    },
  },
  'dockerfile.curl-pipe-shell': {
    passing: {
      'a pipe to something else': file('FROM a:1', 'RUN curl x | tar xz && sudo sh y', 'RUN wget x && sh x'),
    },
    failing: {
      'as root, on either side': file(
        'FROM a:1',
        '# finds: dockerfile.curl-pipe-shell',
        'RUN sudo curl x | bash -s',
        '# finds: dockerfile.curl-pipe-shell',
        'RUN wget -qO- x | sudo -E python3 -',
      ),
    },
  },
  'dockerfile.ignore-gaps': {
    example: '.dockerignore',
    beside: { ...file('FROM a:1', 'COPY . /app'), '.env': 'A=1\n', '.git/HEAD': 'x\n' },
    passing: {
      'nothing that matters lies there': { ...file('FROM a:1', 'COPY . /app'), 'app.py': '' },
      'what is copied is named': {
        ...file('FROM a:1', 'COPY src /app', 'COPY --from=x . /y'),
        '.env': 'A=1\n',
      },
      'all is left out but the code': {
        ...file('FROM a:1', 'COPY . /app'),
        '.env': 'A=1\n',
        '.git/HEAD': 'x\n',
        '.dockerignore': '# all\n*\n!src\n',
      },
      'an ignore file of its own, patterns': {
        'deploy/web.Dockerfile': 'FROM a:1\nCOPY . /app\n',
        'deploy/web.Dockerfile.dockerignore': '**/.git\n.env*\n/.venv/\nnode_modules\n',
        '.git/HEAD': 'x\n',
        '.env.production': 'A=1\n',
        '.venv/pyvenv.cfg': '\n',
        'node_modules/x/package.json': '{}\n',
      },
      'an example is no secret': {
        ...file('FROM a:1', 'COPY . /app'),
        '.env.example': 'A=\n',
        '.env.production.example': 'A=\n',
        '.env.dev-sample': 'A=\n',
      },
    },
    failing: {
      'some is left out': {
        ...file('FROM a:1', 'WORKDIR /app', '# finds: dockerfile.ignore-gaps', 'COPY ./ ./'),
        '.env': 'A=1\n',
        '.git/HEAD': 'x\n',
        '.dockerignore': '.git\n*.env\n!.env\n',
      },
      'in the folder of the Dockerfile': {
        'web/Dockerfile': 'FROM a:1\n# finds: dockerfile.ignore-gaps\nADD . /app\n',
        'web/node_modules/x/index.js': '',
        'web/package.json': '{}',
      },
    },
  },
  'dockerfile.tag-missing': {
    passing: {
      'a stage, scratch, a digest, a port in the registry': file(
        'FROM registry:5000/x:1 AS base',
        'FROM base',
        'FROM scratch',
        `FROM y@sha256:${'0'.repeat(64)}`,
        'ARG IMAGE',
        'FROM $IMAGE',
      ),
    },
    failing: {
      'a registry with a port, and a build argument': file(
        'ARG NAME=python',
        '# finds: dockerfile.tag-missing',
        'FROM registry:5000/x',
        '# finds: dockerfile.tag-missing',
        'FROM ${NAME}',
      ),
    },
  },
  'dockerfile.base-end-of-life': {
    passing: {
      'an image of one’s own': file('FROM acme/python:2.7'),
      'no version': file('FROM python:slim'),
    },
    failing: {
      'by patch version, suite and library': file(
        '# finds: dockerfile.base-end-of-life',
        'FROM python:3.6.15-alpine3.12',
        '# finds: dockerfile.base-end-of-life',
        'FROM debian:stretch-slim',
        '# finds: dockerfile.base-end-of-life',
        'FROM docker.io/library/node:16',
      ),
    },
  },
  'dockerfile.user-root': {
    passing: {
      'the stage that it builds on has one': file('FROM a:1 AS base', 'USER app', 'FROM base', 'CMD ["x"]'),
      'another image whose user is not root': file('FROM gcr.io/distroless/python3:nonroot'),
      'root for a while': file('FROM a:1', 'USER root', 'RUN x', 'USER app:app'),
    },
    failing: {
      'root in the end': file('FROM a:1', 'USER app', '# finds: dockerfile.user-root', 'USER 0:0'),
      'an image of another': file('# finds: dockerfile.user-root', 'FROM acme/app:1'),
      'a user of another stage': file(
        'FROM a:1 AS x',
        'USER app',
        '# finds: dockerfile.user-root',
        'FROM b:1',
      ),
    },
  },
  'dockerfile.secret-in-env': {
    passing: {
      'names that are no secrets, values from elsewhere, none at all': file(
        'FROM a:1',
        'ENV PUBLIC_KEY=x SECRET_KEY_FILE=/run/secrets/key KEYBOARD=de TOKEN_TTL=5',
        'ARG PASSWORD=',
        'ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568 AUTH_VERSION=1.3.0 GOOGLE_API_KEY=no UWSGI_PASS=web:3031',
        'ENV PASSWORD=$PASSWORD',
        'ENV DATABASE_URL=postgres://db/app',
      ),
    },
    failing: {
      'the old form, one of several, and a URL': file(
        'FROM a:1',
        '# finds: dockerfile.secret-in-env',
        'ENV DJANGO_SECRET_KEY a b c',
        '# finds: dockerfile.secret-in-env',
        'ENV A=1 API_TOKEN=abc',
        '# finds: dockerfile.secret-in-env',
        'ENV DATABASE_URL=postgres://app:hunter2@db/app',
        '# finds: dockerfile.secret-in-env',
        'ARG NPM_TOKEN=abc',
      ),
      'one that the build is given': file(
        'FROM a:1',
        '# finds: dockerfile.secret-in-env',
        'ARG GITHUB_TOKEN',
      ),
    },
  },
  'dockerfile.add-for-copy': {
    passing: {
      'archives and URLs': file('FROM a:1', 'ADD x.tar.gz /', 'ADD https://x.test/y /', 'ADD ["a.tgz", "/"]'),
    },
    failing: {
      'the exec form': file('FROM a:1', '# finds: dockerfile.add-for-copy', 'ADD ["a b", "/"]'),
      'what a variable names': file(
        'FROM a:1',
        'ARG JAR',
        '# finds: dockerfile.add-for-copy',
        'ADD ${JAR} app.jar',
      ),
    },
  },
  'dockerfile.workdir-relative': {
    passing: { 'a variable': file('FROM a:1', 'WORKDIR /srv', 'WORKDIR $HOME') },
    failing: {
      'below a known one': file(
        'FROM a:1',
        'WORKDIR /srv',
        '# finds: dockerfile.workdir-relative',
        'WORKDIR app',
      ),
    },
  },
  'dockerfile.copy-before-dependencies': {
    passing: {
      'another stage, and a copy from one': file(
        'FROM a:1 AS x',
        'COPY . /app',
        'FROM a:1',
        'COPY --from=x . /app',
        'RUN npm ci',
      ),
      'the project itself, behind its dependencies': file(
        'FROM a:1',
        'COPY uv.lock pyproject.toml ./',
        'RUN uv sync --no-install-project',
        'COPY . .',
        'RUN uv sync',
      ),
      'a build, not an install': file('FROM a:1', 'COPY . .', 'RUN npm run build'),
    },
    failing: {
      npm: file(
        'FROM a:1',
        'COPY . .',
        '# finds: dockerfile.copy-before-dependencies',
        'RUN npm ci --omit=dev',
      ),
      'python -m and uv': file(
        'FROM a:1',
        'COPY ./ .',
        '# finds: dockerfile.copy-before-dependencies',
        'RUN uv sync --frozen',
      ),
    },
  },
  'dockerfile.apt-lists-kept': {
    passing: {
      'a mounted cache': file(
        'FROM a:1',
        'RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install x',
      ),
      'a heredoc': file(
        'FROM a:1',
        'RUN <<EOF',
        'apt-get update',
        'apt-get install x',
        'rm -rf /var/lib/apt/lists/*',
        'EOF',
      ),
    },
    failing: {
      'removed too late': file(
        'FROM a:1',
        '# finds: dockerfile.apt-lists-kept',
        'RUN apt-get update && apt-get install x',
        'RUN rm -rf /var/lib/apt/lists/*',
      ),
    },
  },
  'dockerfile.update-alone': {
    passing: {
      'with an install': file(
        'FROM a:1',
        'RUN zypper refresh && zypper in x',
        'RUN pacman -Sy --noconfirm x',
        'RUN pacman -Sy && pacman -S x',
        'RUN sudo apt-get update && sudo apt-get install x',
      ),
    },
    failing: {
      'other systems, and the exec form': file(
        'FROM a:1',
        '# finds: dockerfile.update-alone',
        'RUN zypper refresh',
        '# finds: dockerfile.update-alone',
        'RUN pacman -Syu --noconfirm',
        '# finds: dockerfile.update-alone',
        'RUN ["apt-get", "update"]',
      ),
    },
  },
  'dockerfile.sudo': {
    passing: { 'a word': file('FROM a:1', 'RUN apt-get install sudo') },
    failing: { 'the exec form': file('FROM a:1', '# finds: dockerfile.sudo', 'RUN ["sudo", "x"]') },
  },
  'dockerfile.apt-recommends': {
    passing: {},
    failing: {
      'by sudo': file('FROM a:1', '# finds: dockerfile.apt-recommends', 'RUN sudo -E A=1 apt-get install x'),
    },
  },
  'dockerfile.pip-unpinned': {
    passing: {
      'files, URLs, pip itself, constraints': file(
        'FROM a:1',
        'RUN pip install -r requirements.txt && pip install . && pip install ./x.whl',
        'RUN pip install git+https://x.test/y@abc && pip install --group main --group dev',
        'RUN pip install -c constraints.txt django',
        'RUN python -m pip install "django[argon2]==5.2"',
      ),
    },
    failing: {
      'python -m pip, extras, a range': file(
        'FROM a:1',
        '# finds: dockerfile.pip-unpinned',
        'RUN python3 -m pip install -i https://x.test/ "django[argon2]>=5"',
      ),
      'pip itself, by sudo, the exec form': file(
        'FROM a:1',
        '# finds: dockerfile.pip-unpinned',
        'RUN pip install --upgrade "pip>=25"',
        '# finds: dockerfile.pip-unpinned',
        'RUN sudo -H -u app pip install django',
        '# finds: dockerfile.pip-unpinned',
        'RUN ["pip", "install", "django"]',
      ),
    },
  },
  'dockerfile.pip-cache': {
    passing: {
      'a short option': file('FROM a:1', 'RUN pip install --no-cache /wheels/*'),
      'switched off by the environment, or mounted': file(
        'FROM a:1',
        'ENV PIP_NO_CACHE_DIR=1',
        'RUN pip install x==1',
        'FROM a:1',
        'RUN --mount=type=cache,target=/root/.cache pip install x==1',
      ),
    },
    failing: {
      'the cache of another': file(
        'FROM a:1',
        '# finds: dockerfile.pip-cache',
        'RUN --mount=type=cache,target=/root/.cache/uv pip install x==1',
      ),
    },
  },
  'dockerfile.npm-unpinned': {
    passing: {
      'versions, folders, scripts': file(
        'FROM a:1',
        'RUN npm install',
        'RUN npm install ./x @a/b@1.0.0',
        'RUN npm run x',
      ),
    },
    failing: { 'a scope': file('FROM a:1', '# finds: dockerfile.npm-unpinned', 'RUN npm i -g @a/b') },
  },
  'dockerfile.shell-form': {
    passing: {
      'forgotten by Docker, and another stage': file(
        'FROM a:1 AS x',
        'CMD a',
        'FROM a:1',
        'CMD a',
        'CMD ["b"]',
      ),
      'exec behind another command': file('FROM a:1', 'CMD migrate && exec serve'),
    },
    failing: {
      'an entry point': file('FROM a:1', '# finds: dockerfile.shell-form', 'ENTRYPOINT serve', 'CMD ["x"]'),
    },
  },
  'dockerfile.pipefail': {
    passing: {
      'set in the command': file(
        'FROM a:1',
        'RUN set -o pipefail && a | b',
        'RUN a || b',
        'RUN echo "a | b" \\| \'| c\'',
      ),
      'patterns of a case': file(
        'FROM a:1',
        'RUN set -eu && case "$TAG" in \\',
        '  dev|beta|fix*) \\',
        '    sed -i s/a/b/ x;; \\',
        '  (main | "") true ;; \\',
        'esac',
      ),
    },
    failing: {
      'within and behind a case': file(
        'FROM a:1',
        '# finds: dockerfile.pipefail',
        'RUN case $A in a|b) x | y;; esac',
        '# finds: dockerfile.pipefail',
        'RUN case $A in a|b) x;; esac; curl z | sort',
      ),
      'set for another stage': file(
        'FROM a:1',
        'SHELL ["bash", "-o", "pipefail", "-c"]',
        'FROM a:1',
        '# finds: dockerfile.pipefail',
        'RUN a | b',
      ),
      'in a substitution': file('FROM a:1', '# finds: dockerfile.pipefail', 'RUN echo "$(curl -s x | sort)"'),
    },
  },
  'dockerfile.development-server': {
    passing: { 'a word in a path': file('FROM a:1', 'CMD ["gunicorn", "runserver.wsgi"]') },
    failing: {
      'shell form': file(
        'FROM a:1',
        '# finds: dockerfile.development-server',
        'CMD python manage.py migrate && python manage.py runserver 0:8000',
      ),
      flask: file('FROM a:1', '# finds: dockerfile.development-server', 'CMD ["flask", "--app", "x", "run"]'),
      reload: file(
        'FROM a:1',
        '# finds: dockerfile.development-server',
        'CMD ["uvicorn", "x:app", "--reload"]',
      ),
    },
  },
}
