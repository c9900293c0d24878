# Builds with every dependency, runs with the production ones.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:22-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /app/dist ./dist
# Only the embedded Postgres, which runs without DATABASE_URL, writes here.
RUN mkdir .aggregraph && chown node:node .aggregraph
ENV NODE_ENV=production
# A container's own loopback cannot be published. Nobody has to say who they are yet, so the server refuses this address
# until whoever runs it says AUTH=none: publish the port on 127.0.0.1, or behind a proxy that authenticates.
ENV HOST=0.0.0.0
USER node
EXPOSE 4000
# The build of the first rollups takes its time; /healthz says that the process lives, /readyz that it can answer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
